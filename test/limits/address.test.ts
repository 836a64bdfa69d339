import { describe, expect, test } from "@jest/globals";
import type { RateLimitStore, SecondFactorOptions } from "express-second-factor";
import { HOUR, MINUTE } from "../support/attack.js";
import { testApp, type TestApp, type TestUser } from "../support/app.js";
import { enrolled, full, type Jar, pending } from "../support/browser.js";

type Limits = SecondFactorOptions<TestUser>["limits"];

/** Behind one proxy, which says where a request comes from. */
function behindProxy(address: NonNullable<Limits>["address"]): TestApp {
  const limits = address === undefined ? {} : { limits: { address } };
  return testApp({ options: limits, before: (app) => app.set("trust proxy", 1) });
}

function verifyFrom(jar: Jar, address: string, code = "000000") {
  return jar.verify(code).set("X-Forwarded-For", address);
}

/** Accounts with an app, each with a login that waits for a code. */
async function guessable(target: TestApp, names: readonly string[]) {
  const accounts = await Promise.all(names.map(async (name) => ({ name, factor: await enrolled(target, name) })));
  target.clock.advance(HOUR);
  return Promise.all(accounts.map(async (each) => ({ ...each, jar: await pending(target, each.name) })));
}

async function guessFor(target: TestApp, userId: string, ip: string): Promise<string> {
  const answer = await target.mfa.accounts.verify(userId, { method: "totp", code: "000000", client: { ip } });
  return answer.ok ? "right" : answer.code;
}

/** A store of express-rate-limit whose windows end when the test says so. */
function movableStore() {
  const counts = new Map<string, number>();
  const asked: string[] = [];
  const store: RateLimitStore = {
    get(key) {
      asked.push(`get ${key}`);
      const totalHits = counts.get(key);
      return totalHits === undefined ? undefined : { totalHits, resetTime: new Date(Date.now() + 15 * MINUTE) };
    },
    increment(key) {
      asked.push(`increment ${key}`);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { totalHits: counts.get(key)!, resetTime: new Date(Date.now() + 15 * MINUTE) };
    },
    decrement: () => undefined,
    resetKey: (key) => void counts.delete(key),
  };
  return { store, asked, counts, endWindows: () => counts.clear() };
}

describe("one address", () => {
  test("may guess at a hundred accounts in a window, and at none beyond it", async () => {
    const { endWindows, store } = movableStore();
    const target = testApp({ options: { limits: { address: { store } } } });
    for (let user = 0; user < 100; user += 1)
      expect(await guessFor(target, `x${user}`, "192.0.2.1")).toBe("invalid-code");
    expect(await guessFor(target, "another", "192.0.2.1")).toBe("too-many-attempts");
    expect(await guessFor(target, "x1", "192.0.2.1")).toBe("too-many-attempts");
    expect(await guessFor(target, "another", "192.0.2.2")).toBe("invalid-code");
    endWindows();
    expect(await guessFor(target, "another", "192.0.2.1")).toBe("invalid-code");
  });

  test("is refused over HTTP with Retry-After, a right code too, and the accounts from elsewhere are not", async () => {
    const target = behindProxy({ limit: 2, window: "15m" });
    const [alice, dave, mallory] = await guessable(target, ["alice", "dave", "mallory"]);
    for (const { jar } of [alice!, dave!]) expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(401);
    const right = mallory!.factor.phone.code(target.clock());
    const answer = await verifyFrom(mallory!.jar, "192.0.2.1", right);
    expect([answer.status, answer.body.code, answer.headers["retry-after"]]).toEqual([429, "too-many-attempts", "900"]);
    expect(answer.type).toBe("application/problem+json");
    expect((await verifyFrom(mallory!.jar, "192.0.2.2", right)).status).toBe(200);
  });

  test("says with each answer what is left, as express-rate-limit does", async () => {
    const target = behindProxy({ limit: 3, window: "15m" });
    const [alice] = await guessable(target, ["alice"]);
    const answers = [await verifyFrom(alice!.jar, "192.0.2.1"), await verifyFrom(alice!.jar, "192.0.2.1")];
    expect(answers.map(({ headers }) => headers["ratelimit"])).toEqual([
      expect.stringMatching(/r=2; t=900$/),
      expect.stringMatching(/r=1; t=(900|899)$/),
    ]);
    expect(answers[0]!.headers["ratelimit-policy"]).toMatch(/q=3; w=900/);
  });

  test("is fed once by an account, however often it fails", async () => {
    const target = behindProxy({ limit: 2, window: "15m" });
    const [alice, dave, mallory] = await guessable(target, ["alice", "dave", "mallory"]);
    for (let count = 0; count < 5; count += 1) expect((await verifyFrom(alice!.jar, "192.0.2.1")).status).toBe(401);
    for (let count = 0; count < 20; count += 1) expect((await verifyFrom(alice!.jar, "192.0.2.1")).status).toBe(429);
    expect((await verifyFrom(dave!.jar, "192.0.2.1", dave!.factor.phone.code(target.clock()))).status).toBe(200);
    expect((await verifyFrom(mallory!.jar, "192.0.2.1")).status).toBe(401);
    const again = await pending(target, "mallory");
    expect((await verifyFrom(again, "192.0.2.1", mallory!.factor.phone.code(target.clock()))).status).toBe(429);
  });

  test("does not feed the account's limit when it is refused itself", async () => {
    const target = behindProxy({ limit: 1, window: "15m" });
    const [alice, dave] = await guessable(target, ["alice", "dave"]);
    expect((await verifyFrom(dave!.jar, "192.0.2.1")).status).toBe(401);
    for (let count = 0; count < 20; count += 1) expect((await verifyFrom(alice!.jar, "192.0.2.1")).status).toBe(429);
    expect((await verifyFrom(alice!.jar, "192.0.2.2", alice!.factor.phone.code(target.clock()))).status).toBe(200);
  });

  test("counts no right answer, and what is in flight counts nothing", async () => {
    const { asked, counts, store } = movableStore();
    const target = behindProxy({ limit: 100, store });
    const names = ["alice", "dave", "mallory", "carol"];
    const accounts = await guessable(target, names);
    counts.set("192.0.2.1", 99);
    asked.length = 0;
    const statuses = await Promise.all(
      accounts.map(async ({ factor, jar }) => {
        const answer = await verifyFrom(jar, "192.0.2.1", factor.phone.code(target.clock()));
        return answer.status;
      }),
    );
    expect(statuses).toEqual(names.map(() => 200));
    expect(asked).toEqual(names.map(() => "get 192.0.2.1"));
  });

  test("is refused beyond its limit even among answers in flight", async () => {
    const target = behindProxy({ limit: 2, window: "15m" });
    const accounts = await guessable(target, ["alice", "dave", "mallory", "carol"]);
    const answers = await Promise.all(accounts.map(({ jar }) => verifyFrom(jar, "192.0.2.1")));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([401, 401, 429, 429]);
  });

  test("is not fed by attempts that an account's own limit refused, nor by what cannot be a code", async () => {
    const { counts, store } = movableStore();
    const target = behindProxy({ limit: 7, store });
    const [alice] = await guessable(target, ["alice"]);
    for (let count = 0; count < 3; count += 1)
      expect((await verifyFrom(alice!.jar, "192.0.2.1", "12")).status).toBe(400);
    expect(counts.size).toBe(0);
    for (let count = 0; count < 9; count += 1) await verifyFrom(alice!.jar, "192.0.2.1");
    expect(counts.get("192.0.2.1")).toBe(1);
  });

  test("is fed by enrollments, resyncs and passwords that are wrong", async () => {
    const { counts, store } = movableStore();
    const target = behindProxy({ limit: 100, store });
    const owner = await enrolled(target, "alice");
    const jar = await full(target, "alice", owner.phone);
    const begun = await jar.post("/2fa/totp/enroll");
    const wrong = { factorId: begun.body.factorId, code: "000000" };
    const answer = await jar.post("/2fa/totp/enroll/confirm", wrong).set("X-Forwarded-For", "192.0.2.7");
    expect([answer.status, counts.get("192.0.2.7")]).toEqual([401, 1]);
  });
});

describe("a store of rate limits", () => {
  test("must be able to look without counting", () => {
    const { store } = movableStore();
    const { get: _looks, ...blind } = store as RateLimitStore & { get: unknown };
    const start = () => testApp({ options: { limits: { address: { store: blind } } } });
    expect(start).toThrow("limits.address.store: a store of express-rate-limit that has get() and increment()");
  });

  test("that answers nonsense for what it does not hold counts as holding nothing", async () => {
    const { store } = movableStore();
    const odd: RateLimitStore = { ...store, get: () => ({ totalHits: NaN, resetTime: new Date(0) }) };
    const target = behindProxy({ limit: 1, store: odd });
    const [alice] = await guessable(target, ["alice"]);
    const answer = await verifyFrom(alice!.jar, "192.0.2.1", alice!.factor.phone.code(target.clock()));
    expect([answer.status, answer.headers["ratelimit"]]).toEqual([200, expect.stringMatching(/r=0; t=900$/)]);
  });
});

describe("an address", () => {
  const NEIGHBOURS = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2:3:4:5:6"];
  const STRANGER = "2001:db8:ffff:2::1";

  test("of IPv6 counts with all the others of its network", async () => {
    const target = behindProxy({ limit: 2, window: "15m" });
    const accounts = await guessable(target, ["alice", "dave", "mallory", "carol"]);
    const statuses: number[] = [];
    for (const [index, address] of [...NEIGHBOURS, STRANGER].entries()) {
      statuses.push((await verifyFrom(accounts[index]!.jar, address)).status);
    }
    expect(statuses).toEqual([401, 401, 429, 401]);
  });

  test("of IPv6 counts so where the application verifies too", async () => {
    const target = testApp({ options: { limits: { address: { limit: 2, window: "15m" } } } });
    const answers: string[] = [];
    for (const [index, ip] of [...NEIGHBOURS, STRANGER].entries())
      answers.push(await guessFor(target, `x${index}`, ip));
    expect(answers).toEqual(["invalid-code", "invalid-code", "too-many-attempts", "invalid-code"]);
  });

  test.each([
    [
      "192.0.2.1",
      ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1:4711", "192.0.2.1:", "[::ffff:192.0.2.1]:80"],
    ],
    ["2001:db8::1", ["2001:DB8::1", "[2001:db8::2]", "[2001:db8::3]:443", "2001:db8::4%eth0", "2001:0db8:0:0::5"]],
    [
      "unknown",
      ["_hidden", "192.0.2.1:4711:1", "192.0.2.1, 192.0.2.2", "256.0.0.1", "x".repeat(300), "nobody 192.0.2.1"],
    ],
  ])("however it is written, and whatever is none, is one (%s)", async (plain, ways) => {
    const limit = ways.length;
    const target = testApp({ options: { limits: { address: { limit, window: "15m" } } } });
    for (const [index, ip] of ways.entries()) {
      expect([ip, await guessFor(target, `x${index}`, ip)]).toEqual([ip, "invalid-code"]);
    }
    expect(await guessFor(target, "y", plain)).toBe("too-many-attempts");
    expect(await guessFor(target, "z", "198.51.100.1")).toBe("invalid-code");
  });

  test("with a port in a forwarded header has no count of its own for each port", async () => {
    const target = behindProxy({ limit: 2, window: "15m" });
    const accounts = await guessable(target, ["alice", "dave", "mallory"]);
    const statuses: number[] = [];
    for (const [index, { jar }] of accounts.entries()) {
      statuses.push((await verifyFrom(jar, `192.0.2.1:${4_000 + index}`)).status);
    }
    expect(statuses).toEqual([401, 401, 429]);
  });
});
