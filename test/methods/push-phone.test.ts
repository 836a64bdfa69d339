// The device's side (`express-second-factor/browser`) against the real routes: what an app of one's own would be.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { backupCodes, push, type PushChannel, totp } from "express-second-factor";
import { enrollPushDevice, memoryPushStore, pushDevices, type PushStore } from "express-second-factor/browser";
import { movableClock } from "express-second-factor/testing";
import { ORIGIN, testApp, type TestApp } from "../support/app.js";
import { MINUTE } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { fetchBy, Phone, phone, wrongNumber } from "../support/phone.js";

const SUBSCRIPTION = { endpoint: "https://push.test/abc", keys: { auth: "a", p256dh: "p" } };

interface Told {
  readonly requestId: string;
  readonly number: string;
}

let target: TestApp;
let sent: { subscription: unknown; requestId: string }[];

function pushApp(): TestApp {
  sent = [];
  const channel: PushChannel = {
    name: "test",
    send: async (subscription, { requestId }) => void sent.push({ subscription, requestId }),
  };
  return testApp({ options: { methods: [totp(), push({ channels: [channel] }), backupCodes()] } });
}

/** A user whose phone is their only second factor. */
async function owner(name = "alice", options: Parameters<Phone["enroll"]>[1] = {}): Promise<Phone> {
  const device = await phone(target);
  const jar = new Jar(target);
  await jar.login(name);
  await device.enroll(jar, options);
  return device;
}

/** A login that waits, and what its page shows. */
async function asking(name = "alice"): Promise<{ readonly jar: Jar; readonly told: Told }> {
  const jar = new Jar(target);
  await jar.login(name);
  const answer = await jar.post("/2fa/push/send");
  if (answer.status !== 202) throw new Error(`asking answered ${answer.status}: ${answer.text}`);
  return { jar, told: answer.body as Told };
}

async function stateOf(jar: Jar, { requestId }: Told): Promise<unknown> {
  const { state, status } = (await jar.post("/2fa/push/status", { requestId })).body;
  return state ?? status;
}

beforeEach(() => {
  target = pushApp();
});

describe("a phone", () => {
  test("is enrolled with the first factor's backup codes, and its id is made of its key", async () => {
    const store = memoryPushStore();
    const jar = new Jar(target);
    await jar.login("alice");
    const terms = { base: "/2fa", baseUrl: ORIGIN, fetch: fetchBy(jar.agent), store };
    const result = await enrollPushDevice({ ...terms, label: "Pixel 9", hardware: true });
    if (result.status !== "enrolled") throw new Error(result.status);
    expect(result.backupCodes).toHaveLength(10);
    expect(result.factor).toMatchObject({ label: "Pixel 9", type: "push" });
    const [kept, ...others] = await store.devices(`${ORIGIN}/2fa`);
    expect([kept?.factorId, kept?.label, kept?.submittedAt, others.length]).toEqual([
      result.factor.id,
      "Pixel 9",
      undefined,
      0,
    ]);
    const digest = await crypto.subtle.digest("SHA-256", Buffer.from(kept!.key.publicKey, "base64url"));
    expect(kept?.factorId).toBe(Buffer.from(digest).subarray(0, 16).toString("base64url"));
    expect([result.device.factorId, result.device.label]).toEqual([kept?.factorId, "Pixel 9"]);
  });

  test("lists what waits for it and approves it by the number; the login is in", async () => {
    const device = await owner("alice", { channel: "test", subscription: SUBSCRIPTION });
    const { jar, told } = await asking();
    expect(sent).toEqual([{ subscription: SUBSCRIPTION, requestId: told.requestId }]);
    expect(await device.request()).toMatchObject({ requestId: told.requestId, text: "Sign in to Acme" });
    expect(JSON.stringify(await device.requests())).not.toContain(`"${told.number}"`);
    expect(await stateOf(jar, told)).toBe("waiting");
    await device.approve(told.number);
    expect(await stateOf(jar, told)).toBe("verified");
    expect(await jar.isIn()).toBe(true);
    expect(await device.requests()).toEqual([]);
  });

  test.each([
    ["denies", (device: Phone) => device.deny()],
    ["says that it was not its owner", (device: Phone) => device.notMe()],
  ])("%s, and the login stays out", async (_name, decide) => {
    const device = await owner();
    const { jar, told } = await asking();
    await decide(device);
    expect(await stateOf(jar, told)).toBe("denied");
    expect(await jar.isIn()).toBe(false);
  });

  test("is told what became of its decision: a wrong number, what is over, the browser that asks", async () => {
    const device = await owner();
    const { jar, told } = await asking();
    const request = await device.request();
    const own = await device.device();
    const code = async (decided: ReturnType<typeof own.decide>): Promise<unknown> => {
      const result = await decided;
      return result.status === "refused" ? result.problem.code : result.status;
    };
    expect(await code((await device.device(jar)).decide(request, "approve", told.number))).toBe("same-browser");
    expect(await code(own.decide(request, "approve", wrongNumber(told.number)))).toBe("invalid-code");
    expect(await code(own.decide(request, "approve"))).toBe("invalid-request");
    expect(await code(own.decide({ ...request, text: "Sign in to Evil" }, "approve", told.number))).toBe(
      "invalid-code",
    );
    expect(await code(own.decide(request, "approve", told.number))).toBe("decided");
    expect(await code(own.decide(request, "deny"))).toBe("expired");
    expect(await code(own.decide({ ...request, requestId: "nonsense" }, "deny"))).toBe("not-found");
  });

  test("signs a body that can be sent thirty times at once, and one of them decides", async () => {
    const device = await owner();
    const { told } = await asking();
    const request = await device.request();
    const body = await device.decideBody(request, "approve", told.number);
    const answers = await Promise.all(Array.from({ length: 30 }, () => new Jar(target).post("/2fa/push/decide", body)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([204, ...Array.from({ length: 29 }, () => 410)]);
  });

  test.each<[string, object | string]>([
    ["a token", "cXNk:APA91b"],
    ["a browser's subscription", SUBSCRIPTION],
  ])("is woken from then on by %s that it says is new", async (_name, subscription) => {
    const device = await owner();
    expect(await (await device.device()).renew("test", subscription)).toEqual({ status: "renewed" });
    await asking();
    expect(sent.map((each) => each.subscription)).toEqual([subscription]);
    const refused = await (await device.device()).renew("unknown", subscription);
    expect(refused).toMatchObject({ status: "refused", problem: { code: "invalid-request" } });
  });

  test("forgets its key once it was removed from the account, and no sooner", async () => {
    const device = await owner();
    const own = await device.device();
    await target.mfa.accounts.removeFactor("u1", device.factorId, { actor: "admin:1" });
    expect(await own.decide({ requestId: "nonsense", text: "" }, "deny")).toMatchObject({ status: "refused" });
    expect((await device.device()).factorId).toBe(device.factorId);
    expect(await own.requests()).toEqual({ status: "removed" });
    await expect(device.device()).rejects.toThrow("forgotten");
  });

  test("keeps its key where a server has no devices at all for a while", async () => {
    const device = await owner();
    const without = testApp({ store: target.store, options: { methods: [totp(), backupCodes()] } });
    const store: PushStore = { ...memoryPushStore(), remove: () => Promise.reject(new Error("removed")) };
    await store.put({ site: `${ORIGIN}/2fa`, factorId: device.factorId, key: device });
    const fetch = fetchBy(new Jar(without).agent);
    const [own] = await pushDevices({ base: "/2fa", baseUrl: ORIGIN, store, fetch });
    expect(await own!.requests()).toMatchObject({ status: "refused", problem: { code: "not-found" } });
  });

  test("is forgotten on the device alone when its owner says so there", async () => {
    const device = await owner();
    await (await device.device()).forget();
    await expect(device.device()).rejects.toThrow("forgotten");
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ id: device.factorId }]);
  });

  test("is refused without a login, and keeps nothing", async () => {
    const store = memoryPushStore();
    const jar = new Jar(target);
    const terms = { base: "/2fa", baseUrl: ORIGIN, fetch: fetchBy(jar.agent), store };
    expect(await enrollPushDevice(terms)).toMatchObject({ status: "refused", problem: { code: "login-required" } });
    await jar.login("alice");
    const foreign = await enrollPushDevice({ ...terms, channel: "unknown", subscription: "token" });
    expect(foreign).toMatchObject({ status: "refused", problem: { code: "invalid-request" } });
    expect(await pushDevices(terms)).toEqual([]);
  });

  test("does not enroll with a key that its store would lose", async () => {
    const full: PushStore = { ...memoryPushStore(), put: () => Promise.reject(new Error("no space")) };
    const jar = new Jar(target);
    await jar.login("alice");
    const terms = { base: "/2fa", baseUrl: ORIGIN, fetch: fetchBy(jar.agent) };
    expect(await enrollPushDevice({ ...terms, store: full })).toEqual({ status: "unsupported" });
    // Without a browser's storage, and without one's own.
    expect(await enrollPushDevice(terms)).toEqual({ status: "unsupported" });
    expect(await pushDevices(terms)).toEqual([]);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
  });

  test("with a wrong clock takes the server's, after one refusal", async () => {
    // Their clocks are this machine's: an answer's Date is.
    const own = movableClock(Date.now());
    target = testApp({ clock: own, options: { methods: [totp(), push({ channels: [] }), backupCodes()] } });
    const device = await owner();
    const seen: number[] = [];
    const counted: typeof fetch = async (...request) => {
      const answer = await fetchBy(new Jar(target).agent)(...request);
      seen.push(answer.status);
      return answer;
    };
    const store: PushStore = { ...memoryPushStore(), devices: async () => [kept] };
    const kept = { site: `${ORIGIN}/2fa`, factorId: device.factorId, key: device };
    const clock = (): number => Date.now() + 60 * MINUTE;
    const [late] = await pushDevices({ base: "/2fa", baseUrl: ORIGIN, store, fetch: counted, clock });
    expect(await late!.requests()).toEqual({ status: "listed", requests: [], reached: false });
    expect(seen).toEqual([401, 200]);
    expect(await late!.requests()).toEqual({ status: "listed", requests: [], reached: false });
    expect(seen).toEqual([401, 200, 200]);
  });

  test("whose signature is wrong is refused, and does not try again", async () => {
    target = testApp({
      clock: movableClock(Date.now()),
      options: { methods: [totp(), push({ channels: [] }), backupCodes()] },
    });
    const device = await owner();
    let asked = 0;
    const counted: typeof fetch = (...request) => {
      asked += 1;
      return fetchBy(new Jar(target).agent)(...request);
    };
    const stranger = await memoryPushStore().createKey();
    const kept = { site: `${ORIGIN}/2fa`, factorId: device.factorId, key: stranger };
    const store: PushStore = { ...memoryPushStore(), devices: async () => [kept] };
    const [forged] = await pushDevices({ base: "/2fa", baseUrl: ORIGIN, store, fetch: counted });
    expect(await forged!.requests()).toMatchObject({ status: "refused", problem: { code: "invalid-code" } });
    expect(asked).toBe(1);
  });

  test("whose enrollment was answered by nobody finds out by itself what came of it", async () => {
    const store = memoryPushStore();
    const jar = new Jar(target);
    await jar.login("alice");
    const through = fetchBy(jar.agent);
    const isEnrolling = ([url]: Parameters<typeof fetch>): boolean => url === `${ORIGIN}/2fa/push/enroll`;
    const cut: typeof fetch = async (...request) => {
      const answer = await through(...request);
      if (isEnrolling(request)) throw new TypeError("fetch failed");
      return answer;
    };
    const terms = { base: "/2fa", baseUrl: ORIGIN, fetch: through, store, clock: target.clock };
    const lost = await enrollPushDevice({ ...terms, fetch: cut });
    expect(lost).toEqual({ status: "refused", problem: { code: "unavailable" } });
    const [device] = await pushDevices(terms);
    expect(await device!.requests()).toEqual({ status: "listed", requests: [], reached: false });

    // One that never came through is given up, once nothing can come of it any more.
    const never: typeof fetch = (...request) =>
      isEnrolling(request) ? Promise.reject(new TypeError("failed")) : through(...request);
    await enrollPushDevice({ ...terms, fetch: never });
    const [, unknown] = await pushDevices(terms);
    expect(await unknown!.requests()).toEqual({ status: "listed", requests: [] });
    expect(await unknown!.renew("test", "token")).toMatchObject({ problem: { code: "not-found" } });
    expect(await pushDevices(terms)).toHaveLength(2);
    target.clock.advance(11 * MINUTE);
    expect(await unknown!.requests()).toEqual({ status: "removed" });
    expect(await pushDevices(terms)).toHaveLength(1);
  });
});

describe("over the network, with the fetch of Node", () => {
  test("a phone reaches an application by its address alone", async () => {
    const server: Server = createServer(target.app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const headers = { "Content-Type": "application/json" };
      const credentials = { username: "alice", password: "alice-password" };
      const logIn = { method: "POST", headers, body: JSON.stringify(credentials), redirect: "manual" } as const;
      const login = await fetch(`${baseUrl}/login`, logIn);
      const Cookie = login.headers.getSetCookie().map((line) => line.split(";")[0]!);
      const device = await phone(baseUrl, { clock: target.clock });
      await device.enroll({ Cookie: Cookie.join("; ") });
      const { told } = await asking();
      await device.approve(told.number);
      expect(await device.requests()).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("without a network it is a result, and the key stays", async () => {
    const device = await owner();
    const store = memoryPushStore();
    await store.put({ site: "http://127.0.0.1:9/2fa", factorId: device.factorId, key: device });
    const terms = { base: "/2fa", baseUrl: "http://127.0.0.1:9", store };
    const [alone] = await pushDevices(terms);
    const refused = { status: "refused", problem: { code: "unavailable" } };
    expect(await alone!.requests()).toEqual(refused);
    expect(await alone!.decide({ requestId: "r", text: "t" }, "deny")).toEqual(refused);
    expect(await alone!.renew("test", "token")).toEqual(refused);
    expect(await enrollPushDevice(terms)).toEqual(refused);
    expect(await pushDevices(terms)).toHaveLength(1);
  });
});
