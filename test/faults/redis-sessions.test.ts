import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { RedisStore } from "connect-redis";
import { redisStore } from "express-second-factor/redis";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { copyOf, expectDenied, type SlowRoute, slowRoute } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { until } from "../support/programs.js";
import { type RedisServer, startRedis } from "../support/redis.js";
import { nodeRedis } from "../support/redis-clients.js";

const KEYS = `test:${randomBytes(32).toString("base64")}`;

let server: RedisServer;
let client: Awaited<ReturnType<typeof nodeRedis>>;
const phones = new WeakMap<TestApp, Awaited<ReturnType<typeof enrolled>>["phone"]>();

beforeAll(async () => {
  server = await startRedis();
  client = await nodeRedis(server.url);
}, 120_000);

beforeEach(async () => {
  await client.flushAll();
});

afterAll(async () => {
  client.destroy();
  await server.kill();
});

function overRedis({ options, ...parts }: TestAppOptions = {}): TestApp {
  return testApp({ ...parts, store: redisStore(client), options: { keys: KEYS, storeTimeout: "1s", ...options } });
}

/** Sessions in the same Redis, written whole by whichever request ends last. */
function withRedisSessions(slow: SlowRoute, parts: TestAppOptions = {}): TestApp {
  return overRedis({
    ...parts,
    sessionStore: new RedisStore({ client }),
    routes: (app) => app.get("/slow", slow.handler),
  });
}

describe("a slow request that ends later and writes its old session back into Redis brings nothing back", () => {
  test.each<[string, (jar: Jar, target: TestApp) => PromiseLike<unknown>]>([
    ["after a logout", (jar) => jar.post("/logout")],
    ["after every login was ended", (_jar, { mfa }) => mfa.accounts.signOutEverywhere("u1")],
    ["after the factors were reset", (_jar, { mfa }) => mfa.accounts.reset("u1")],
    [
      "after the other sessions were revoked",
      async (_jar, target) => {
        const other = await full(target, "alice", phones.get(target)!);
        expect((await other.post("/2fa/sessions/revoke-others")).status).toBe(204);
      },
    ],
  ])("%s", async (_name, end) => {
    const slow = slowRoute();
    const target = withRedisSessions(slow);
    const { phone } = await enrolled(target, "alice");
    phones.set(target, phone);
    const jar = await full(target, "alice", phone);
    const thief = copyOf(jar);
    expect(await thief.isIn()).toBe(true);
    const late = jar.get("/slow").then((answer) => answer);
    await slow.reached;
    await end(jar, target);
    slow.release();
    expect((await late).status).toBe(200);
    await expectDenied(thief, ["/account", "/api/data"]);
  });

  test("after a pending login became a full one: the session from before stays worth nothing", async () => {
    const slow = slowRoute();
    const target = withRedisSessions(slow, { options: { exempt: ["/login", "/logout", "/slow"] } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const before = copyOf(jar);
    const late = before.get("/slow").then((answer) => answer);
    await slow.reached;
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    slow.release();
    await late;
    expect([await before.isIn(), await jar.isIn()]).toEqual([false, true]);
  });
});

describe("a Redis that comes back empty", () => {
  async function emptied(target: TestApp): Promise<void> {
    await server.kill();
    await server.start();
    await until("the store answers again", () =>
      target.mfa.ready().then(
        () => true,
        () => false,
      ),
    );
  }

  test("ends every login, full or pending: none becomes a full one", async () => {
    const target = overRedis();
    const { phone } = await enrolled(target, "alice");
    const inside = await full(target, "alice", phone);
    const waiting = await pending(target, "alice");
    await emptied(target);
    expect([await inside.isIn(), await waiting.isIn()]).toEqual([false, false]);
    expect((await waiting.verify(phone.code(target.clock()))).status).not.toBe(200);
    expect([await inside.isIn(), await waiting.isIn()]).toEqual([false, false]);
  });

  test("has forgotten who is enrolled; where the policy requires a factor, nobody is in without one", async () => {
    const target = overRedis({ options: { policy: "required" } });
    await enrolled(target, "alice");
    await emptied(target);
    const jar = new Jar(target);
    expect((await jar.login("alice")).body.code).toBe("enrollment-required");
    await expectDenied(jar);
  });

  test("counts attempts from the beginning, and still counts them", async () => {
    const target = overRedis();
    await emptied(target);
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push((await jar.verify("000000")).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});
