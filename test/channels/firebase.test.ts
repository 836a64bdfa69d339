import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { jwtVerify } from "jose";
import { push } from "express-second-factor";
import { firebase, type FirebaseOptions } from "express-second-factor/firebase";
import { type MovableClock, movableClock } from "express-second-factor/testing";
import { problemsOf } from "../senders/stage.js";
import { Firebase, refusal } from "../support/firebase.js";
import { json, type ProviderAnswer } from "../support/provider.js";
import { expectRefused, expectUnanswered, MESSAGE, send } from "./app-stage.js";

const TOKEN = `cQ0x:APA91b${"k".repeat(130)}`;
const NOW = Date.UTC(2026, 10, 27, 12);
const MINUTE = 60_000;
/** Nobody listens there, and fetch does not refuse to look. */
const NOWHERE = "http://127.0.0.1:2";

let server: Firebase;
let clock: MovableClock;
let secrets: readonly string[];

function channel(options: Partial<FirebaseOptions> = {}) {
  const { endpoint, serviceAccount } = server;
  return firebase({ serviceAccount, endpoint, clock, ...options });
}

function lastBody(): unknown {
  return JSON.parse(server.messages.at(-1)!.body);
}

/** A request that begins, and one that nobody waits for any longer. */
async function givenUpOn(sending: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const [given, asked] = [new AbortController(), server.provider.asked()];
  const sent = sending(given.signal);
  await asked;
  const brokenOff = server.provider.brokenOff();
  given.abort();
  await Promise.all([expectUnanswered(sent, secrets), brokenOff]);
}

beforeAll(async () => {
  server = await Firebase.start();
  const { client_email, private_key, project_id } = server.serviceAccount;
  secrets = [TOKEN, client_email, project_id, private_key.slice(40, 80), "ya29."];
});

beforeEach(() => {
  clock = movableClock(NOW);
  server.grantAnswer = undefined;
  server.messageAnswer = undefined;
  server.unregistered.clear();
});

afterAll(() => server.close());

describe("a message over Firebase", () => {
  test("is data for one device, urgent, and kept as long as a request lives", async () => {
    await send(channel(), { token: TOKEN });
    expect(lastBody()).toEqual({
      message: {
        token: TOKEN,
        data: MESSAGE,
        android: { priority: "HIGH", ttl: "120s" },
        apns: {
          headers: {
            "apns-push-type": "background",
            "apns-priority": "5",
            "apns-expiration": String(NOW / 1000 + 120),
          },
          payload: { aps: { "content-available": 1 } },
        },
      },
    });
    const { headers, path } = server.messages.at(-1)!;
    expect(path).toBe(`/v1/projects/${server.serviceAccount.project_id}/messages:send`);
    expect(headers["content-type"]).toBe("application/json");
  });

  test("has words of the application's where iPhones are to show something by themselves, and nowhere else", async () => {
    const alert = { title: "Acme", body: "Somebody is signing in. Is it you?" };
    await send(channel({ alert }), TOKEN);
    expect(lastBody()).toMatchObject({
      message: {
        apns: {
          headers: { "apns-push-type": "alert", "apns-priority": "10" },
          payload: { aps: { alert, sound: "default", "mutable-content": 1 } },
        },
      },
    });
    expect(
      JSON.stringify((lastBody() as { message: { android: object; data: object } }).message.android),
    ).not.toContain("Acme");
    expect(lastBody()).not.toHaveProperty("message.notification");
  });

  test("names no origin where no browser opens the site", async () => {
    await channel().send(TOKEN, { requestId: MESSAGE.requestId }, { signal: new AbortController().signal });
    expect(lastBody()).toHaveProperty("message.data", { requestId: MESSAGE.requestId });
  });

  test("is sent with a token that the service account signed for, with RSA, for an hour and for messages alone", async () => {
    await send(channel(), TOKEN);
    const { form, headers } = server.grants.at(-1)!;
    expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(Object.keys(form)).toEqual(["grant_type", "assertion"]);
    expect(form["grant_type"]).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const { client_email: issuer, token_uri: audience } = server.serviceAccount;
    const { payload, protectedHeader } = await jwtVerify(form["assertion"]!, server.publicKey, {
      ...{ issuer, audience: audience!, algorithms: ["RS256"], currentDate: new Date(NOW) },
    });
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "JWT" });
    expect(payload).toEqual({
      ...{ iss: issuer, aud: audience, iat: NOW / 1000, exp: NOW / 1000 + 3600 },
      scope: "https://www.googleapis.com/auth/firebase.messaging",
    });
    expect(server.messages.at(-1)?.headers.authorization).toMatch(/^Bearer ya29\.granted-\d+$/);
  });
});

describe("the access token", () => {
  test("is asked for once by all who need it at the same time, and kept until a minute before its end", async () => {
    const [sender, before] = [channel(), server.grants.length];
    await Promise.all(Array.from({ length: 30 }, () => send(sender, TOKEN)));
    expect(server.grants).toHaveLength(before + 1);
    clock.advance(58 * MINUTE);
    await send(sender, TOKEN);
    expect(server.grants).toHaveLength(before + 1);
    clock.advance(MINUTE);
    await send(sender, TOKEN);
    expect(server.grants).toHaveLength(before + 2);
  });

  test("is renewed once where Firebase takes it no more, by one request for all", async () => {
    const sender = channel();
    await send(sender, TOKEN);
    const before = server.grants.length;
    server.revoke();
    await Promise.all(Array.from({ length: 30 }, () => send(sender, TOKEN)));
    expect(server.grants).toHaveLength(before + 1);
  });

  test("is not asked for again and again where none is taken", async () => {
    const [grants, messages] = [server.grants.length, server.messages.length];
    server.messageAnswer = () => refusal(401, { name: "UNAUTHENTICATED" });
    await expectRefused(send(channel(), TOKEN), { code: "UNAUTHENTICATED", status: 401 }, secrets);
    expect([server.grants.length - grants, server.messages.length - messages]).toEqual([2, 2]);
  });

  test("has nothing to do with Apple's refusal of the project's key, which is a 401 too", async () => {
    const before = server.messages.length;
    server.messageAnswer = () => refusal(401, { name: "UNAUTHENTICATED", code: "THIRD_PARTY_AUTH_ERROR" });
    await expectRefused(send(channel(), TOKEN), { code: "THIRD_PARTY_AUTH_ERROR", status: 401 }, secrets);
    expect(server.messages).toHaveLength(before + 1);
  });

  test.each<[string, ProviderAnswer, object]>([
    [
      "a signature that is not the account's",
      json(400, { error: "invalid_grant", error_description: `Invalid JWT of sender@acme-12ab3` }),
      { code: "invalid_grant", status: 400 },
    ],
    ["a failure", { status: 503, type: "text/html", body: "<h1>Try later</h1>" }, { code: undefined, status: 503 }],
    ["a grant of nothing", json(200, { token_type: "Bearer" }), { code: undefined, status: 200 }],
    ["a redirection", { status: 302, type: "text/html", body: "", headers: { Location: "/token" } }, { status: 302 }],
  ])("that is not granted (%s) is told of the account, and no message is tried", async (_what, answer, reason) => {
    const [sender, before] = [channel(), server.messages.length];
    server.grantAnswer = () => answer;
    const sending = send(sender, TOKEN);
    await expectRefused(sending, reason, secrets);
    await expect(sending).rejects.toThrow(/^The service account was not taken/);
    expect(server.messages).toHaveLength(before);
    server.grantAnswer = undefined;
    await send(sender, TOKEN);
  });

  test("that never comes leaves no connection, once the last who waits for it has gone", async () => {
    const [sender, first, last] = [channel(), new AbortController(), new AbortController()];
    server.grantAnswer = () => undefined;
    const [before, asked] = [server.grants.length, server.provider.asked()];
    const sendings = [first, last].map(({ signal }) => send(sender, TOKEN, signal));
    await asked;
    first.abort();
    await expectUnanswered(sendings[0]!, secrets);
    const brokenOff = server.provider.brokenOff();
    last.abort();
    await Promise.all([expectUnanswered(sendings[1]!, secrets), brokenOff]);
    expect(server.grants).toHaveLength(before + 1);
    // Nobody joins what was called off.
    server.grantAnswer = undefined;
    await send(sender, TOKEN);
  });

  test("costs no message its count where the connection to it breaks: nothing was sent", async () => {
    const serviceAccount = { ...server.serviceAccount, token_uri: `${NOWHERE}/token` };
    await expectRefused(send(channel({ serviceAccount }), TOKEN), { code: "ECONNREFUSED", status: undefined }, secrets);
  });
});

describe("what Firebase refuses", () => {
  const notAToken = "The registration token is not a valid FCM registration token";

  test("is the end of a subscription where the app is gone", async () => {
    server.unregistered.add(TOKEN);
    const reason = { code: "UNREGISTERED", status: 404, gone: true };
    await expectRefused(send(channel(), { token: TOKEN }), reason, secrets);
  });

  test.each([{ message: notAToken }, { message: "Invalid registration", fields: ["message.token"] }])(
    "or where the token is none: %j",
    async (said) => {
      server.messageAnswer = () => refusal(400, { name: "INVALID_ARGUMENT", code: "INVALID_ARGUMENT", ...said });
      await expectRefused(send(channel(), TOKEN), { code: "INVALID_ARGUMENT", status: 400, gone: true }, secrets);
    },
  );

  test.each([
    ["a message that is wrong", 400, { name: "INVALID_ARGUMENT", code: "INVALID_ARGUMENT", fields: ["message.data"] }],
    ["a message that is wrong, beside the token", 400, { name: "INVALID_ARGUMENT", message: "Invalid JSON payload" }],
    ["a project that there is none of", 404, { name: "NOT_FOUND", message: "Requested entity was not found." }],
    ["an app of another project", 403, { name: "PERMISSION_DENIED", code: "SENDER_ID_MISMATCH" }],
    ["too many messages", 429, { name: "RESOURCE_EXHAUSTED", code: "QUOTA_EXCEEDED", message: `of ${TOKEN}` }],
    ["a failure of its own", 500, { name: "INTERNAL", code: "INTERNAL" }],
    ["its being overloaded", 503, { name: "UNAVAILABLE", code: "UNAVAILABLE" }],
  ])("is no end of it otherwise: %s", async (_what, status, said) => {
    const before = server.messages.length;
    server.messageAnswer = () => {
      const answer = refusal(status, said)!;
      return { ...answer, headers: { "Retry-After": "30" } };
    };
    const { code = said.name } = said as { code?: string };
    await expectRefused(send(channel(), TOKEN), { code, status }, secrets);
    expect(server.messages).toHaveLength(before + 1);
  });

  test("says what to look at where the app belongs to another project", async () => {
    server.messageAnswer = () => refusal(403, { name: "PERMISSION_DENIED", code: "SENDER_ID_MISMATCH" });
    await expect(send(channel(), TOKEN)).rejects.toThrow(
      "The Firebase message was not taken (SENDER_ID_MISMATCH, 403): the app of this device belongs to another Firebase project than the service account",
    );
  });

  test.each([
    [502, "text/html", `<h1>Bad gateway for ${TOKEN}</h1>`],
    [500, "application/json", "null"],
    [500, "application/json", JSON.stringify({ error: { details: "none", status: `of ${TOKEN}` } })],
    [429, "application/json", JSON.stringify({ error: { details: [null, { fieldViolations: [null] }] } })],
  ])("and however it is written: %i in %s, %s", async (status, type, body) => {
    server.messageAnswer = () => ({ status, type, body });
    await expectRefused(send(channel(), TOKEN), { code: undefined, status }, secrets);
  });

  test("is not asked of anybody else, whereto it may point", async () => {
    const before = server.provider.requests.length;
    server.messageAnswer = () => ({ status: 307, type: "text/html", body: "", headers: { Location: "/elsewhere" } });
    await expectRefused(send(channel(), TOKEN), { status: 307 }, secrets);
    expect(server.provider.requests.slice(before).map(({ path }) => path)).not.toContain("/elsewhere");
  });
});

describe("what Firebase does not answer", () => {
  test("is called off with its connection when nobody waits any more, and may have been taken", async () => {
    const sender = channel();
    await send(sender, TOKEN);
    server.messageAnswer = () => undefined;
    await givenUpOn((signal) => send(sender, TOKEN, signal));
  });

  test("was not sent where there is no connection, or nobody waits from the start", async () => {
    const before = server.provider.requests.length;
    await expectUnanswered(send(channel(), TOKEN, AbortSignal.abort()), secrets);
    expect(server.provider.requests).toHaveLength(before);
    const nowhere = channel({ endpoint: NOWHERE });
    await expectRefused(send(nowhere, TOKEN), { code: "ECONNREFUSED", status: undefined }, secrets);
  });

  test("may have been taken where the connection breaks", async () => {
    const cause = Object.assign(new Error(`other side closed: ${TOKEN}`), { code: "UND_ERR_SOCKET" });
    const broken = (): Promise<never> => Promise.reject(new TypeError("fetch failed", { cause }));
    const { token_uri: granting } = server.serviceAccount;
    const sender = channel({ fetch: (url, terms) => (url === granting ? fetch(url, terms) : broken()) });
    await expectUnanswered(send(sender, TOKEN), secrets);
  });
});

describe("a subscription", () => {
  test.each([[{ token: TOKEN }], [TOKEN]])("is a registration token: %j", (subscription) => {
    expect(channel().problem?.(subscription)).toBeUndefined();
  });

  test.each([
    [{}],
    [null],
    [""],
    [7],
    ["short"],
    [{ token: `${TOKEN} x` }],
    [{ token: [TOKEN] }],
    ["ü".repeat(40)],
    [[TOKEN]],
  ])("is none otherwise, which is said before Firebase hears of it: %j", async (subscription) => {
    const before = server.provider.requests.length;
    expect(channel().problem?.(subscription)).toBe("not-a-token");
    await expectRefused(send(channel(), subscription), { code: "not-a-token" }, secrets);
    expect(server.provider.requests).toHaveLength(before);
  });
});

describe("what is wrong with the options is said at start, all at once, and repeats nothing of them", () => {
  function accountProblems(serviceAccount: unknown): readonly string[] {
    return problemsOf(() => firebase({ serviceAccount: serviceAccount as never }));
  }

  test("nothing is, of what is in the file", () => {
    const file = {
      type: "service_account",
      private_key_id: "1",
      ...server.serviceAccount,
      universe_domain: "googleapis.com",
    };
    expect(accountProblems(file)).toEqual([]);
    const { token_uri: _uri, ...least } = server.serviceAccount;
    expect(accountProblems({ ...least, project_id: "example.com:acme-12" })).toEqual([]);
  });

  test("what is missing or odd is named, with where it comes from", () => {
    const wrong = {
      serviceAccount: {
        project_id: "Acme",
        client_email: "sender",
        private_key: "secret",
        token_uri: "http://evil.test",
      },
      ...{ alert: { title: "", text: "x" }, endpoint: "http://evil.test", fetch: "fetch", clock: 5, retries: 3 },
    };
    expect(problemsOf(() => firebase(wrong as never))).toEqual([
      "firebase: retries: there is no such option; there are serviceAccount, alert, endpoint, fetch, clock",
      `firebase: serviceAccount.project_id must be the project's id ("acme-12ab3"), and neither its name nor its number`,
      'firebase: serviceAccount.client_email must be the account\'s address ("…@….iam.gserviceaccount.com")',
      "firebase: serviceAccount.token_uri must be an https URL: leave it out for Google's",
      "firebase: serviceAccount.private_key: must be the private RSA key (PEM, 2048 bits or more) in the service account's JSON file: Firebase console, Project settings, Service accounts",
      "firebase: alert: text: there is no such option; there are title, body",
      'firebase: alert.title must be text that an iPhone shows: { title: "Acme", body: "…" }',
      'firebase: alert.body must be text that an iPhone shows: { title: "Acme", body: "…" }',
      "firebase: endpoint must be an https URL, or one of this machine in tests: leave it out for Google's",
      "firebase: fetch must be a function as Node's fetch is",
      "firebase: clock must be a function that answers milliseconds since the epoch",
    ]);
  });

  test("a key with its line breaks written out, as environment variables have it, says how to mend it", () => {
    const { private_key } = server.serviceAccount;
    const written = { ...server.serviceAccount, private_key: private_key.replaceAll("\n", String.raw`\n`) };
    expect(accountProblems(written)).toEqual([
      String.raw`firebase: serviceAccount.private_key: its line breaks are written out: give private_key.replaceAll("\\n", "\n"), or JSON.parse the whole file`,
    ]);
  });

  test.each([
    ["of another kind", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey],
    ["too short", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey],
  ])("a key that is %s is none", (_what, key) => {
    const private_key = key.export({ type: "pkcs8", format: "pem" });
    expect(accountProblems({ ...server.serviceAccount, private_key })).toHaveLength(1);
  });

  test.each([undefined, null, 7, [], "{}"])("%j is no service account", (serviceAccount) => {
    expect(accountProblems(serviceAccount).length).toBeGreaterThan(0);
  });

  test("a text is to be parsed, and the account itself is one of the options", () => {
    expect(accountProblems(JSON.stringify(server.serviceAccount))).toEqual([
      "firebase: serviceAccount must be what is in the file: JSON.parse(text)",
    ]);
    expect(problemsOf(() => firebase(server.serviceAccount as never))).toEqual([
      "firebase: the service account is one of the options: { serviceAccount }",
    ]);
    expect(problemsOf(() => firebase(undefined as never)).length).toBeGreaterThan(0);
    expect(problemsOf(() => push({ channels: [channel()] }))).toEqual([]);
  });
});
