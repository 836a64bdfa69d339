// What of a recovery falls due without a request, and who has the last word.
import { describe, expect, jest, test } from "@jest/globals";
import { memoryStore, type RecoveryRequest } from "express-second-factor";
import { DAY, MINUTE } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { alice, confirmed, HOUR, ofKind, type Recovering, run, stateOf, told } from "../support/recovery.js";

type Recovery = Extract<NonNullable<TestAppOptions["options"]>["recovery"], object>;

/** Recoveries of which the application has the last word. */
function asking(approve: NonNullable<Recovery["approve"]>): TestAppOptions {
  return { options: { recovery: { approve } } };
}

/** The machine's timers are moved by the test. */
async function withFakeTimers(act: () => Promise<void>): Promise<void> {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "performance"] });
  try {
    await act();
  } finally {
    jest.useRealTimers();
  }
}

/** Time goes by, and whatever the process's own timer does in it is told. */
async function pass({ target }: Pick<Recovering, "target">, time: number): Promise<void> {
  target.clock.advance(time);
  await jest.advanceTimersByTimeAsync(time);
  await told();
}

describe("a recovery that waits", () => {
  test("goes on in a process that was started since, with nothing but the store", async () => {
    const store = memoryStore();
    const here = await alice({ store });
    await confirmed(here);
    const { notices, target } = here;
    target.clock.advance(24 * HOUR);
    const notify = (notice: (typeof notices)[number]): void => void notices.push(notice);
    const later = testApp({ store, clock: target.clock, options: { notify, user: {} } });
    expect(await later.mfa.runDue()).toBe(2);
    await told();
    expect(ofKind(here, "recovery-half-time")).toHaveLength(0);
    expect(ofKind(here, "recovery-ready")).toMatchObject([{ to: { address: "alice@acme.test" } }]);
    expect(await target.mfa.runDue()).toBe(0);
  });

  test.each(["does without recoveries", "tells owners nothing"])(
    "is left to others by a process that %s",
    async (what) => {
      const store = memoryStore();
      const here = await alice({ store, options: { recovery: { wait: "7d" } } });
      const { clock } = here.target;
      const notify = (notice: (typeof here.notices)[number]): void => void here.notices.push(notice);
      const options = what.startsWith("tells") ? {} : { notify, recovery: false as const };
      const without = testApp({ store, clock, options });
      await confirmed(here);
      await without.mfa.runDue();
      clock.advance(2 * HOUR);
      await pending(without, "alice");
      await without.mfa.runDue();
      clock.advance(7 * DAY);
      await without.mfa.runDue();
      expect(await stateOf(here)).toBe("waiting");
      const later = testApp({ store, clock, options: { notify, recovery: { wait: "7d" } } });
      await later.mfa.runDue();
      await told();
      expect(ofKind(here, "recovery-ready")).toHaveLength(1);
      // Whoever tells owners nothing leaves it to others to tell them.
      expect(ofKind(here, "login-unfinished")).not.toHaveLength(0);
    },
  );

  test("goes on once, however many processes look at once", async () => {
    const store = memoryStore();
    const here = await alice({ store });
    await confirmed(here);
    const { clock } = here.target;
    const notify = (notice: (typeof here.notices)[number]): void => void here.notices.push(notice);
    const others = [1, 2, 3].map(() => testApp({ store, clock, options: { notify } }));
    for (const kind of ["recovery-half-time", "recovery-ready"]) {
      clock.advance(12 * HOUR);
      await Promise.all([here.target, ...others].flatMap(({ mfa }) => [mfa.runDue(), mfa.runDue()]));
      await told();
      expect(ofKind(here, kind)).toHaveLength(1);
    }
  });

  test("holds nothing up that is due before it, where no job asks", async () => {
    await withFakeTimers(async () => {
      const here = await alice();
      const { clock } = here.target;
      await confirmed(here);
      await pass(here, 11 * MINUTE);
      expect(ofKind(here, "login-unfinished")).toHaveLength(1);
      clock.advance(2 * HOUR);
      await pending(here.target, "alice");
      await pass(here, 11 * MINUTE);
      expect(ofKind(here, "login-unfinished")).toHaveLength(2);
    });
  });

  test("whose last word does not come holds up nobody else's, where no job asks", async () => {
    await withFakeTimers(async () => {
      const here = await alice(asking(() => new Promise<never>(() => undefined)));
      await enrolled(here.target, "carol");
      await confirmed(here);
      await pass(here, 24 * HOUR - 10 * MINUTE);
      await pending(here.target, "carol");
      expect(ofKind(here, "login-unfinished")).toHaveLength(1);
      await pass(here, 10 * MINUTE + 2000);
      expect(ofKind(here, "login-unfinished")).toHaveLength(2);
      expect(await stateOf(here)).toBe("waiting");
    });
  });

  test("goes on a minute later where the store did not answer when it was over, and no job asks", async () => {
    await withFakeTimers(async () => {
      const store = faultyStore();
      const here = await alice({ store });
      const { errors } = here.target;
      await confirmed(here);
      await pass(here, 13 * HOUR);
      expect(ofKind(here, "recovery-half-time")).toHaveLength(1);
      store.fail("read", REJECTS);
      await pass(here, 11 * HOUR);
      expect(errors.length).toBeGreaterThan(0);
      store.heal();
      await pass(here, 2 * MINUTE);
      expect(ofKind(here, "recovery-ready")).toHaveLength(1);
    });
  });

  test("waits for as long as the application says, beyond the day that entries are kept for", async () => {
    const here = await alice({ options: { recovery: { wait: "7d" } } });
    await confirmed(here);
    here.target.clock.advance(7 * DAY - 1);
    await run(here);
    expect(await stateOf(here)).toBe("waiting");
    here.target.clock.advance(1);
    await run(here);
    expect(await stateOf(here)).toBe("ready");
  });
});

describe("the last word about a recovery", () => {
  test("is asked for when the wait is over, with what there is to know, and goes on with true", async () => {
    const approve = jest.fn((_request: RecoveryRequest) => true);
    const here = await alice(asking(approve));
    await confirmed(here);
    here.target.clock.advance(24 * HOUR - 1);
    await run(here);
    expect(approve).not.toHaveBeenCalled();
    here.target.clock.advance(1);
    await run(here);
    const now = here.target.clock();
    expect(approve.mock.calls).toEqual([
      [
        expect.objectContaining({
          userId: "u1",
          id: expect.any(String),
          confirmedAt: new Date(now - 24 * HOUR).toISOString(),
          completesAt: new Date(now).toISOString(),
        }),
      ],
    ]);
    expect(await stateOf(here)).toBe("ready");
  });

  test("ends it with false, and its owner is told", async () => {
    const here = await alice(asking(() => Promise.resolve(false)));
    await confirmed(here);
    here.target.clock.advance(24 * HOUR);
    await run(here);
    expect(await stateOf(here)).toBe("none");
    expect(ofKind(here, "recovery-cancelled")).toMatchObject([{ details: { reason: "refused" } }]);
    expect(ofKind(here, "recovery-ready")).toEqual([]);
  });

  test.each([
    ["throws", () => Promise.reject(new Error("no list of tickets"))],
    ["answers what is no word", () => "yes" as never],
    ["has not decided yet", () => undefined],
  ])("is asked for again at the next run where it %s", async (_what, first) => {
    let answer: () => boolean | undefined | Promise<boolean> = first;
    const approve = jest.fn(() => answer());
    const here = await alice(asking(approve));
    await confirmed(here);
    here.target.clock.advance(24 * HOUR);
    await run(here);
    expect(await stateOf(here)).toBe("waiting");
    expect(approve).toHaveBeenCalledTimes(1);
    answer = () => true;
    await run(here);
    expect(approve).toHaveBeenCalledTimes(2);
    expect(await stateOf(here)).toBe("ready");
    const failures = here.target.errors.map(({ place }) => place);
    expect(failures).toEqual(_what === "has not decided yet" ? [] : ["recovery.approve"]);
  });

  test("is not passed over by a process that knows of none", async () => {
    const store = memoryStore();
    const approve = jest.fn(() => true);
    const here = await alice({ store, ...asking(approve) });
    const { clock } = here.target;
    const notify = (notice: (typeof here.notices)[number]): void => void here.notices.push(notice);
    const other = testApp({ store, clock, options: { notify } });
    await confirmed(here);
    clock.advance(24 * HOUR);
    await other.mfa.runDue();
    await told();
    expect([await stateOf(here), ofKind(here, "recovery-ready").length]).toEqual(["waiting", 0]);
    await run(here);
    expect(approve).toHaveBeenCalledTimes(1);
    expect(await stateOf(here)).toBe("ready");
  });

  test("leaves whoever waits for it with what is true: the wait is over, and the link is still to come", async () => {
    const here = await alice(asking(() => undefined));
    await confirmed(here);
    here.target.clock.advance(24 * HOUR);
    await run(here);
    const jar = await pending(here.target, "alice");
    const page = (await jar.page("/2fa")).text;
    expect(page).toContain("The waiting time of this recovery is over.");
    expect(page).not.toContain("That is in");
  });

  test("decides nothing by its silence, and is asked for by one at a time", async () => {
    await withFakeTimers(async () => {
      const approve = jest.fn(() => new Promise<boolean>(() => undefined));
      const here = await alice(asking(approve));
      await confirmed(here);
      here.target.clock.advance(24 * HOUR);
      const running = here.target.mfa.runDue();
      await told();
      expect(await here.target.mfa.runDue()).toBe(0);
      expect(approve).toHaveBeenCalledTimes(1);
      await jest.advanceTimersByTimeAsync(30_000);
      // The login that asked went no further, and nothing else was done.
      expect(await running).toBe(1);
      expect(await stateOf(here)).toBe("waiting");
      expect(here.target.errors.map(({ place }) => place)).toContain("recovery.approve");
    });
  });

  test("is of no use for what was ended meanwhile", async () => {
    let decide: (word: boolean) => void = () => undefined;
    const here = await alice(asking(() => new Promise<boolean>((resolve) => (decide = resolve))));
    await confirmed(here);
    here.target.clock.advance(24 * HOUR);
    const running = here.target.mfa.runDue();
    await told();
    await here.target.mfa.accounts.cancelRecovery("u1", { actor: "support:7", reason: "ticket 1" });
    decide(true);
    await running;
    expect(await stateOf(here)).toBe("none");
    expect(ofKind(here, "recovery-ready")).toEqual([]);
  });
});
