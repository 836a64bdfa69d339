import { expect, test } from "@jest/globals";
import { type RedisClient, redisStore } from "express-second-factor/redis";
import { testApp, type TestApp } from "../support/app.js";
import { MINUTE, wrongCodes } from "../support/attack.js";
import { type Enrolled, enrolled, Jar, pending } from "../support/browser.js";
import { interruptible, type InterruptibleStore } from "../support/interruptible.js";
import { closed, KEYS, TIMEOUT } from "../support/outages.js";
import { until } from "../support/programs.js";
import { MASTER, REPLICA, replicatedCluster } from "../support/redis-stages.js";

/** Of the three masters, the first keeps alice (u1), the second mallory (u2), the third carol (u3); each keeps some addresses. */
const redis = replicatedCluster();

interface Visited extends TestApp {
  readonly store: InterruptibleStore;
  readonly alice: Enrolled;
  readonly mallory: Enrolled;
  readonly used: { readonly code: string; readonly backupCode: string };
  readonly inside: Jar;
  readonly waiting: Jar;
}

/** Alice used a code and a backup code to get in, and somebody guessed twice and is waiting. */
async function visited(client: RedisClient, name: string): Promise<Visited> {
  const store = interruptible(redisStore(client, { prefix: `${name}:` }));
  const options = { keys: KEYS, storeTimeout: `${TIMEOUT}ms` } as const;
  const target = testApp({ store, options, before: (app) => app.set("trust proxy", 1) });
  const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
  const [inside, waiting] = [await pending(target, "alice"), await pending(target, "alice")];
  const used = { code: alice.phone.code(target.clock()), backupCode: alice.backupCodes[0]! };
  expect((await inside.verify(used.code)).status).toBe(200);
  expect((await inside.post("/2fa/backup-code", { code: used.backupCode })).status).toBe(200);
  for (const code of wrongCodes(2, alice.phone, target.clock())) expect((await waiting.verify(code)).status).toBe(401);
  return { ...target, store, alice, mallory, used, inside, waiting };
}

interface SignedIn {
  readonly jar: Jar;
  readonly status: number;
}

async function signIn(target: Visited, backupCode: string): Promise<SignedIn> {
  const jar = new Jar(target);
  const { status } = await jar.login("alice");
  if (status === 503) return { jar, status };
  return { jar, status: (await jar.post("/2fa/backup-code", { code: backupCode })).status };
}

/** Logins that are on their way when the master dies, in the middle of the first one's write. */
async function killedMeanwhile(targets: readonly Visited[]): Promise<readonly SignedIn[]> {
  targets[0]!.store.once("before write", () => redis.cluster.servers[MASTER]!.kill());
  const running = targets.flatMap((target) => target.alice.backupCodes.slice(1, 4).map((code) => signIn(target, code)));
  return Promise.all(running);
}

async function expectClosed(target: Visited): Promise<void> {
  const { alice, clock, inside, waiting } = target;
  await closed(inside.get("/account"));
  await closed(waiting.get("/account"));
  await closed(waiting.verify(alice.phone.code(clock())));
  await closed(new Jar(target).login("alice"));
}

/** An address whose failures are counted where alice is kept, and one of the others. */
async function addresses(carol: Jar): Promise<{ readonly closed: string; readonly open: string }> {
  const found = new Map<number, string>();
  for (let host = 1; host < 255 && !(found.has(201) && found.has(503)); host += 1) {
    const ip = `192.0.2.${host}`;
    const { status } = await carol.post("/2fa/totp/enroll").set("X-Forwarded-For", ip);
    found.set(status, ip);
  }
  expect([...found.keys()].toSorted()).toEqual([201, 503]);
  return { closed: found.get(503)!, open: found.get(201)! };
}

async function expectOpenToOthers(target: Visited): Promise<void> {
  const carol = new Jar(target);
  await carol.login("carol");
  expect(await carol.isIn()).toBe(true);
  const ips = await addresses(carol);
  const mallory = await pending(target, "mallory");
  const code = target.mallory.phone.code(target.clock());
  await closed(mallory.verify(code).set("X-Forwarded-For", ips.closed));
  expect((await mallory.verify(code).set("X-Forwarded-For", ips.open)).status).toBe(200);
  expect(await mallory.isIn()).toBe(true);
  expect((await new Jar(target).get("/")).body.status).toBe("anonymous");
}

async function expectWhole(target: Visited): Promise<void> {
  const { alice, clock, inside, mfa, used, waiting } = target;
  await until("the store answers again", () =>
    mfa.accounts.status("u1").then(
      () => true,
      () => false,
    ),
  );
  expect([await inside.isIn(), await waiting.isIn()]).toEqual([true, false]);
  expect((await waiting.post("/2fa/backup-code", { code: used.backupCode })).status).toBe(401);
  const statuses = [];
  for (const code of [used.code, ...wrongCodes(3, alice.phone, clock())])
    statuses.push((await waiting.verify(code)).status);
  expect(statuses).toEqual([401, 401, 401, 429]);
  clock.advance(15 * MINUTE);
  const again = await pending(target, "alice");
  expect((await again.verify(alice.phone.code(clock()))).status).toBe(200);
  expect((await mfa.accounts.status("u1")).backupCodesRemaining).toBeGreaterThanOrEqual(6);
}

test("a master of a Redis cluster dies: closed for its users and its addresses, and whole when its replica has taken over", async () => {
  const targets = [await visited(redis.clients[0], "node-redis"), await visited(redis.clients[1], "ioredis")];
  await redis.replicated();
  // Scripts are not replicated, so the stores must bring theirs again.
  expect(await redis.ask(REPLICA, "INFO", "memory")).toContain("number_of_cached_scripts:0");

  const running = await killedMeanwhile(targets);
  expect(running.map(({ status }) => status)).toContain(503);
  expect(running.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  for (const target of targets) {
    await expectClosed(target);
    await expectOpenToOthers(target);
  }
  await redis.ask(REPLICA, "CONFIG", "SET", "cluster-replica-no-failover", "no");
  for (const target of targets) await expectWhole(target);
  for (const { jar } of running.filter(({ status }) => status === 503)) expect(await jar.isIn()).toBe(false);
  expect(await redis.ask(REPLICA, "ROLE")).toContain("master");
}, 60_000);
