// Thirty at once, over two servers: one outcome, and never an account without a factor.
import { describe, expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { NO_LIMITS, pendingJars, twoServers } from "../support/attack.js";
import { enrolled, Jar } from "../support/browser.js";
import type { TestAppOptions } from "../support/app.js";
import {
  COUNTING,
  HOUR,
  ofKind,
  type Recovering,
  RECOVERY,
  run,
  SECOND,
  stateOf,
  told,
  tokenOf,
  vouchOf,
} from "../support/recovery.js";

const WIDTH = 30;

interface Stage extends Recovering {
  readonly servers: ReturnType<typeof twoServers>;
}

async function stage(more: TestAppOptions["options"] = {}): Promise<Stage> {
  const notices: Notice[] = [];
  const notify = (notice: Notice): void => void notices.push(notice);
  const servers = twoServers({ options: { notify, limits: { address: NO_LIMITS.address }, ...more } });
  const [target] = servers;
  return { target, servers, notices, ...(await enrolled(target, "alice")) };
}

function tally(answers: readonly { readonly status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function clicks({ servers }: Stage, way: string, token: string) {
  return Array.from({ length: WIDTH }, (_none, index) =>
    new Jar(servers[index % 2]!).post(`${RECOVERY}/${way}`, { token }),
  );
}

/** Two channels, and a set of backup codes that was replaced. */
async function equipped(): Promise<Stage> {
  const here = await stage(COUNTING.options);
  const verifiedAt = new Date(here.target.clock());
  await here.target.mfa.accounts.enrollEmail("u1", { address: SECOND, verifiedAt });
  await here.target.mfa.accounts.regenerateBackupCodes("u1");
  return here;
}

async function asked(here: Stage): Promise<void> {
  const [jar] = await pendingJars(1, here.servers, "alice");
  await jar!.post(RECOVERY);
}

async function readied(here: Stage): Promise<void> {
  await asked(here);
  await new Jar(here.target).post(`${RECOVERY}/confirm`, { token: await tokenOf(here, "confirm") });
  here.target.clock.advance(24 * HOUR);
  await run(here);
}

describe("thirty at once", () => {
  test("ask: three are counted, and one recovery is under way", async () => {
    const here = await stage();
    const jars = await pendingJars(WIDTH, here.servers, "alice");
    expect(tally(await Promise.all(jars.map((jar) => jar.post(RECOVERY))))).toEqual({ 202: 3, 429: WIDTH - 3 });
    await told();
    expect(ofKind(here, "recovery-requested")).toHaveLength(3);
    expect(
      (await new Jar(here.target).post(`${RECOVERY}/confirm`, { token: await tokenOf(here, "confirm") })).status,
    ).toBe(200);
  });

  test("show one old backup code: one is taken for it", async () => {
    const here = await equipped();
    const jars = await pendingJars(WIDTH, here.servers, "alice");
    const [backupCode] = here.backupCodes;
    const statuses = tally(await Promise.all(jars.map((jar) => jar.post(RECOVERY, { backupCode }))));
    expect(statuses[202]).toBe(1);
    expect(Object.keys(statuses).every((status) => ["202", "401", "429"].includes(status))).toBe(true);
  });

  test("guess at an old backup code: ten guesses are looked at (B17)", async () => {
    const here = await equipped();
    const jars = await pendingJars(WIDTH, here.servers, "alice");
    const guesses = jars.map((jar, index) =>
      jar.post(RECOVERY, { backupCode: `0000-0000-0000-${String(index).padStart(4, "0")}` }),
    );
    expect(tally(await Promise.all(guesses))).toEqual({ 401: 10, 429: WIDTH - 10 });
    expect(await stateOf(here)).toBe("none");
  });

  test("shorten and cancel: one of the two, once", async () => {
    const here = await equipped();
    await asked(here);
    await new Jar(here.target).post(`${RECOVERY}/confirm`, { token: await tokenOf(here, "confirm") });
    const [vouch, cancel] = [await vouchOf(here), await tokenOf(here, "cancel")];
    const answers = await Promise.all([
      ...clicks(here, "confirm", vouch).slice(WIDTH / 2),
      ...clicks(here, "cancel", cancel).slice(WIDTH / 2),
    ]);
    await told();
    expect(tally(answers)[204]).toBe(1);
    expect(ofKind(here, "recovery-shortened").length).toBe(2 * (tally(answers)[200] ?? 0));
    expect(tally(answers)[200] ?? 0).toBeLessThan(2);
    expect(await stateOf(here)).toBe("none");
  });

  test("confirm: one begins the wait", async () => {
    const here = await stage();
    await asked(here);
    const answers = await Promise.all(clicks(here, "confirm", await tokenOf(here, "confirm")));
    expect(tally(answers)).toEqual({ 200: 1, 410: WIDTH - 1 });
    await told();
    expect(ofKind(here, "recovery-confirmed")).toHaveLength(1);
  });

  test("cancel: one ends it", async () => {
    const here = await stage();
    await readied(here);
    const answers = await Promise.all(clicks(here, "cancel", await tokenOf(here, "cancel")));
    expect(tally(answers)).toEqual({ 204: 1, 410: WIDTH - 1 });
    await told();
    expect(ofKind(here, "recovery-cancelled")).toHaveLength(1);
  });

  test("confirm and cancel: it is over, whoever was first", async () => {
    const here = await stage();
    await asked(here);
    const [confirm, cancel] = [await tokenOf(here, "confirm"), await tokenOf(here, "cancel")];
    const half = WIDTH / 2;
    await Promise.all([...clicks(here, "confirm", confirm).slice(half), ...clicks(here, "cancel", cancel).slice(half)]);
    expect(await stateOf(here)).toBe("none");
  });

  test("complete: one browser sets up a factor", async () => {
    const here = await stage();
    await readied(here);
    const token = await tokenOf(here, "complete");
    const jars = await pendingJars(WIDTH, here.servers, "alice");
    const answers = await Promise.all(jars.map((jar) => jar.post(`${RECOVERY}/complete`, { token })));
    expect(tally(answers)).toEqual({ 200: 1, 410: WIDTH - 1 });
    const states = await Promise.all(jars.map((jar) => jar.get("/2fa")));
    const statuses = states.map(({ body }) => (body as { status: string }).status);
    expect(statuses.filter((status) => status === "must-enroll")).toHaveLength(1);
    expect(statuses.filter((status) => status === "pending")).toHaveLength(WIDTH - 1);
  });

  test("finish and cancel: the new factor in force and the old ones void, or nothing of either", async () => {
    const here = await stage();
    for (let round = 0; round < 5; round += 1) {
      await readied(here);
      const [before] = await here.target.mfa.accounts.factors("u1");
      const [jar] = await pendingJars(1, here.servers, "alice");
      const cancel = await tokenOf(here, "cancel");
      await jar!.post(`${RECOVERY}/complete`, { token: await tokenOf(here, "complete") });
      const { factorId, uri } = (await jar!.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
      const code = authenticatorApp(uri).code(here.target.clock());
      const [done, ...cancelled] = await Promise.all([
        jar!.post("/2fa/totp/enroll/confirm", { factorId, code }),
        ...clicks(here, "cancel", cancel).slice(0, 10),
      ]);
      const factors = await here.target.mfa.accounts.factors("u1");
      const isCancelled = cancelled.some(({ status }) => status === 204);
      expect([done.status, isCancelled]).toEqual(isCancelled ? [410, true] : [201, false]);
      expect(factors.map(({ id }) => id)).toEqual([isCancelled ? before!.id : factorId]);
      here.target.clock.advance(25 * HOUR);
      here.notices.length = 0;
    }
  });
});
