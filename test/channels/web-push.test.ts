import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { importJWK, jwtVerify } from "jose";
import webpush from "web-push";
import { UnavailableError } from "express-second-factor";
import { webPush, type WebPushOptions } from "express-second-factor/web-push";
import { NOBODY, PUSH_HOSTS, type PushEndpoint, startPushEndpoint } from "../support/push-endpoint.js";
import { SubscribedBrowser } from "../support/web-push-decrypt.js";
import { failureOf } from "../senders/stage.js";

const [PUSH_HOST] = PUSH_HOSTS;
const TOKEN = "cXl6dG9rZW4tb2YtYS1kZXZpY2U";
const ENDPOINT = `https://${PUSH_HOST}/fcm/send/${TOKEN}`;
const MESSAGE = { requestId: "cmVxdWVzdA", origin: "https://acme.test" };
const SUBJECT = "mailto:security@acme.test";

const keys = webpush.generateVAPIDKeys();
const vapid = { subject: SUBJECT, ...keys };

let service: PushEndpoint;
let browser: SubscribedBrowser;

function channel(more: Partial<WebPushOptions> = {}) {
  return webPush({ vapid, agent: service.agent, ...more });
}

function send(endpoint = ENDPOINT, { signal }: AbortController = new AbortController(), more = {}) {
  return channel(more).send(browser.subscription(endpoint), MESSAGE, { signal });
}

/** Whatever is said of a failure, nothing in it tells where a device is reached. */
async function failed(sending: Promise<unknown>): Promise<Error> {
  const { error, words } = await failureOf(sending);
  const { endpoint, keys: theirs } = browser.subscription(ENDPOINT);
  const secrets = [endpoint, TOKEN, PUSH_HOST, theirs.auth, theirs.p256dh, keys.privateKey, MESSAGE.requestId];
  expect(secrets.filter((secret) => words.includes(secret))).toEqual([]);
  expect(error.cause).toBeUndefined();
  return error;
}

beforeAll(async () => {
  service = await startPushEndpoint();
});

beforeEach(() => {
  service.reception = undefined;
  browser = new SubscribedBrowser();
});

afterAll(() => service.close());

describe("a message to a browser", () => {
  test("what reads it here reads the example of RFC 8291", () => {
    const path = new URL("../vectors/rfc8291-section-5.json", import.meta.url);
    const vector = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, string>>;
    const example = new SubscribedBrowser({ privateKey: vector["privateKey"]!, auth: vector["auth"]! });
    expect(example.subscription("").keys.p256dh).toBe(vector["publicKey"]);
    expect(example.read(Buffer.from(vector["body"]!, "base64url"))).toBe(vector["plaintext"]);
  });

  test("is encrypted for it alone, and holds the request and the site", async () => {
    await send();
    const { body, headers, path } = service.received.at(-1)!;
    expect(path).toBe(new URL(ENDPOINT).pathname);
    expect(JSON.parse(browser.read(body))).toEqual(MESSAGE);
    expect(() => new SubscribedBrowser().read(body)).toThrow();
    expect(headers).toMatchObject({
      ...{ host: PUSH_HOST, "content-encoding": "aes128gcm", "content-type": "application/octet-stream" },
      ...{ ttl: "120", urgency: "high", "content-length": String(body.length) },
    });
    expect(headers.topic).toBeUndefined();
  });

  test("is another one each time, for the same message", async () => {
    await Promise.all([send(), send()]);
    const [one, other] = service.received.slice(-2).map(({ body }) => body);
    expect(one!.equals(other!)).toBe(false);
    expect(one!.subarray(0, 16).equals(other!.subarray(0, 16))).toBe(false);
  });

  test("says who sends it by a token of the VAPID keys, for this push service and a day at most", async () => {
    await send();
    const [, token = "", key = ""] = /^vapid t=([^,]+), k=(.+)$/.exec(service.received.at(-1)!.headers.authorization!)!;
    expect(key).toBe(keys.publicKey);
    const point = Buffer.from(key, "base64url");
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"));
    const verifying = await importJWK({ kty: "EC", crv: "P-256", x: x!, y: y! }, "ES256");
    const { payload, protectedHeader } = await jwtVerify(token, verifying, {
      ...{ algorithms: ["ES256"], audience: `https://${PUSH_HOST}`, typ: "JWT" },
    });
    expect(protectedHeader.alg).toBe("ES256");
    expect(payload).toEqual({ aud: `https://${PUSH_HOST}`, exp: expect.any(Number), sub: SUBJECT });
    const left = payload.exp! - Date.now() / 1000;
    expect(left).toBeGreaterThan(120);
    expect(left).toBeLessThanOrEqual(24 * 60 * 60);
  });

  test("without an origin holds none", async () => {
    const { signal } = new AbortController();
    await channel().send(browser.subscription(ENDPOINT), { requestId: "one" }, { signal });
    expect(browser.read(service.received.at(-1)!.body)).toBe('{"requestId":"one"}');
  });

  test("whose subscription came back from a store as JSON is the same", async () => {
    const stored: unknown = JSON.parse(JSON.stringify(browser.subscription(ENDPOINT)));
    await channel().send(stored as never, MESSAGE, { signal: new AbortController().signal });
    expect(JSON.parse(browser.read(service.received.at(-1)!.body))).toEqual(MESSAGE);
  });
});

describe("what the push service answers", () => {
  test.each([200, 201, 202, 204])("%i: it was taken", async (status) => {
    service.reception = { status };
    await expect(send()).resolves.toBeUndefined();
  });

  test.each([404, 410])("%i: nobody is reached there any more", async (status) => {
    service.reception = { status, body: `no subscription ${ENDPOINT}` };
    const error = await failed(send());
    expect(error).toMatchObject({ name: "DeliveryError", status, gone: true });
    expect(error.message).toBe(`The Web Push message was not taken (${status})`);
  });

  test.each([400, 413, 429, 500, 502, 503])("%i: it was not taken, and the device stays", async (status) => {
    service.reception = { status, body: JSON.stringify({ errno: 1, message: ENDPOINT }) };
    const error = await failed(send());
    expect(error).toMatchObject({ name: "DeliveryError", status, code: undefined });
    expect(error).not.toHaveProperty("gone");
    expect(error.message).toBe(`The Web Push message was not taken (${status})`);
  });

  test.each([401, 403])("%i: the VAPID keys do not fit, which is said", async (status) => {
    service.reception = { status };
    const error = await failed(send());
    expect(error).toMatchObject({ name: "DeliveryError", status });
    expect(error).not.toHaveProperty("gone");
    expect(error.message).toBe(
      `The Web Push message was not taken (${status}): the push service does not take these VAPID keys for this device; after a change of keys each device has to be added anew`,
    );
  });

  test("Apple's word for it is kept, and no other text", async () => {
    service.reception = { status: 403, body: '{"reason":"BadJwtToken"}' };
    expect(await failed(send())).toMatchObject({ code: "BadJwtToken", status: 403 });
    service.reception = { status: 400, body: '{"reason":"VapidPkHashMismatch"}' };
    expect((await failed(send())).message).toMatch(/\(VapidPkHashMismatch, 400\): .*VAPID keys/);
    service.reception = { status: 400, body: JSON.stringify({ reason: TOKEN }) };
    expect(await failed(send())).toMatchObject({ code: undefined });
  });

  test.each([301, 302, 307, 308])("%i leads nowhere: no redirection is followed", async (status) => {
    const before = service.received.length;
    service.reception = { status, headers: { Location: `https://${PUSH_HOST}/elsewhere` } };
    expect(await failed(send())).toMatchObject({ name: "DeliveryError", status });
    expect(service.received).toHaveLength(before + 1);
  });

  test("an answer without end is not read to its end", async () => {
    service.reception = { status: 201, body: Buffer.alloc(4_000_000) };
    await expect(send()).resolves.toBeUndefined();
    service.reception = { status: 500, body: Buffer.alloc(4_000_000) };
    expect(await failed(send())).toMatchObject({ status: 500 });
  });

  test("silence leaves open whether it was taken, and leaves no connection behind", async () => {
    service.reception = "silence";
    await service.idle();
    const [waiting, asked] = [new AbortController(), service.asked()];
    const sending = failed(send(ENDPOINT, waiting));
    await asked;
    waiting.abort();
    expect(await sending).toBeInstanceOf(UnavailableError);
    await service.idle();
  });

  test("an answer that breaks off too", async () => {
    service.reception = "broken";
    expect(await failed(send())).toBeInstanceOf(UnavailableError);
    await service.idle();
  });

  test("nothing is sent for whom nobody waits any more", async () => {
    const [over, before] = [new AbortController(), service.received.length];
    over.abort();
    expect(await failed(send(ENDPOINT, over))).toBeInstanceOf(UnavailableError);
    expect(service.received).toHaveLength(before);
  });

  test("a certificate of another name is no push service", async () => {
    const before = service.received.length;
    const error = await failed(send(`https://web.push.apple.com/${TOKEN}`));
    expect(error).toMatchObject({ name: "DeliveryError", code: "ERR_TLS_CERT_ALTNAME_INVALID", status: undefined });
    expect(service.received).toHaveLength(before);
  });

  test("nor is one that nobody vouches for, to connections of Node's own", async () => {
    const [host, before] = [`localhost:${service.port}`, service.received.length];
    const plain = webPush({ vapid, hosts: [host] });
    const { signal } = new AbortController();
    const error = await failed(plain.send(browser.subscription(`https://${host}/${TOKEN}`), MESSAGE, { signal }));
    expect(error).toMatchObject({ name: "DeliveryError", code: "DEPTH_ZERO_SELF_SIGNED_CERT", status: undefined });
    expect(service.received).toHaveLength(before);
  });

  test("no connection: nothing was sent", async () => {
    const error = await failed(send(ENDPOINT, undefined, { agent: NOBODY }));
    expect(error).toMatchObject({ name: "DeliveryError", code: "ECONNREFUSED" });
  });
});

describe("where a device says that it is reached", () => {
  const reached = (endpoint: string, hosts: readonly string[] = []) =>
    channel({ hosts }).problem!(browser.subscription(endpoint));

  test.each([
    ENDPOINT,
    "https://fcm.googleapis.com/wp/abc:def",
    "https://jmt17.google.com/fcm/send/abc",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
    "https://web.push.apple.com/QGuQyavXutnMCh",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d",
    "https://fcm.googleapis.com:443/fcm/send/abc",
  ])("%s is a browser's push service", (endpoint) => {
    expect(reached(endpoint)).toBeUndefined();
  });

  test.each([
    "http://fcm.googleapis.com/fcm/send/abc",
    "https://fcm.googleapis.com:8443/fcm/send/abc",
    "https://ann@fcm.googleapis.com/fcm/send/abc",
    "https://ann:word@fcm.googleapis.com/fcm/send/abc",
    "https://fcm.googleapis.com.evil.test/fcm/send/abc",
    "https://fcm.googleapis.com./fcm/send/abc",
    "https://evilfcm.googleapis.com/fcm/send/abc",
    "https://x.fcm.googleapis.com/",
    "https://googleapis.com/",
    "https://android.googleapis.com/gcm/send/abc",
    "https://notify.windows.com/",
    "https://evilnotify.windows.com/",
    "https://evil.test/?.notify.windows.com",
    "https://evil.test/#.notify.windows.com",
    "https://evil.test\\.notify.windows.com/",
    "https://evil.test%2f.notify.windows.com/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/",
    "https://internal/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "javascript:alert(1)",
  ])("%s is none, before it is stored and before it is sent to", async (endpoint) => {
    const problem = reached(endpoint);
    expect(["host-not-allowed", "not-a-subscription"]).toContain(problem);
    const before = service.received.length;
    expect(await failed(send(endpoint))).toMatchObject({ name: "DeliveryError", code: problem });
    expect(service.received).toHaveLength(before);
  });

  test.each([
    ["push.acme.test", ["https://push.acme.test/x"], ["https://a.push.acme.test/", "https://push.acme.test:444/"]],
    ["*.acme.test", ["https://a.acme.test/", "https://a.b.acme.test/"], ["https://acme.test/", "https://aacme.test/"]],
    ["push.acme.test:8443", ["https://push.acme.test:8443/"], ["https://push.acme.test/"]],
    ["*.acme.test:8443", ["https://a.acme.test:8443/"], ["https://a.acme.test/"]],
    ["192.0.2.7", ["https://192.0.2.7/", "https://0xc0000207/"], ["https://192.0.2.8/"]],
    ["[2001:db8::7]:8443", ["https://[2001:db8:0::7]:8443/"], ["https://[2001:db8::7]/"]],
    ["localhost:8443", ["https://localhost:8443/"], ["https://localhost/", "http://localhost:8443/"]],
    ["xn--bcher-kva.test", ["https://bücher.test/"], ["https://bucher.test/"]],
  ])("hosts: %s adds that, and nothing beside it", (host, allowed, refused) => {
    for (const endpoint of [...allowed, ENDPOINT])
      expect([endpoint, reached(endpoint, [host])]).toEqual([endpoint, undefined]);
    for (const endpoint of refused)
      expect([endpoint, reached(endpoint, [host])]).toEqual([endpoint, "host-not-allowed"]);
  });

  test("a host with letters such as ü is the same however often it was asked about", () => {
    const answers = Array.from({ length: 10_000 }, () => reached("https://bücher.test/", ["xn--bcher-kva.test"]));
    expect(new Set(answers)).toEqual(new Set([undefined]));
  });

  const { endpoint, keys: theirs } = new SubscribedBrowser().subscription(ENDPOINT);
  const offCurve = Buffer.from(theirs.p256dh, "base64url");
  offCurve[64]! ^= 1;
  test.each([
    ["nothing", undefined],
    ["null", null],
    ["text", ENDPOINT],
    ["a list", [endpoint, theirs]],
    ["no keys", { endpoint }],
    ["keys that are text", { endpoint, keys: "keys" }],
    ["no auth", { endpoint, keys: { p256dh: theirs.p256dh } }],
    ["no key", { endpoint, keys: { auth: theirs.auth } }],
    ["a short auth", { endpoint, keys: { ...theirs, auth: theirs.auth.slice(2) } }],
    ["a long auth", { endpoint, keys: { ...theirs, auth: `${theirs.auth}AA` } }],
    ["an auth of numbers", { endpoint, keys: { ...theirs, auth: [...Buffer.from(theirs.auth)] } }],
    ["an auth in other letters", { endpoint, keys: { ...theirs, auth: "+".repeat(22) } }],
    ["a short key", { endpoint, keys: { ...theirs, p256dh: theirs.p256dh.slice(4) } }],
    ["a key in compressed form", { endpoint, keys: { ...theirs, p256dh: `A${theirs.p256dh.slice(1, 44)}` } }],
    ["a key that is no point", { endpoint, keys: { ...theirs, p256dh: `A${theirs.p256dh.slice(1)}` } }],
    ["a point off the curve", { endpoint, keys: { ...theirs, p256dh: offCurve.toString("base64url") } }],
    ["no address", { endpoint: "", keys: theirs }],
    ["an address that is none", { endpoint: "fcm.googleapis.com", keys: theirs }],
    ["an address that is a list", { endpoint: [endpoint], keys: theirs }],
    ["an address without end", { endpoint: endpoint + "a".repeat(2048), keys: theirs }],
  ])("%s is not a subscription", async (_what, given) => {
    expect(channel().problem!(given as never)).toBe("not-a-subscription");
    const sending = channel().send(given as never, MESSAGE, { signal: new AbortController().signal });
    expect(await failed(sending)).toMatchObject({ name: "DeliveryError", code: "not-a-subscription" });
  });
});

test("the channel says its name, and the key that browsers subscribe with", () => {
  expect(channel()).toMatchObject({ name: "web-push", applicationServerKey: keys.publicKey });
});
