import { describe, expect, jest, test } from "@jest/globals";
import type { Notice, Notify } from "express-second-factor";
import { MINUTE, trusted } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";

/** An application whose notices are kept. */
function noticing(): { target: TestApp; kinds: () => string[]; notices: Notice[] } {
  const notices: Notice[] = [];
  const notify: Notify = async (notice) => void notices.push(notice);
  const target = testApp({ options: { notify } });
  return { target, notices, kinds: () => notices.splice(0).map(({ kind }) => kind) };
}

/** Lets what runs beside a request run. */
function aside(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("owners are told", () => {
  test("of every change of what their account is protected by", async () => {
    const { target, kinds } = noticing();
    const { phone, factorId, backupCodes } = await enrolled(target, "alice");
    expect(kinds()).toEqual(["factor-enrolled"]);
    const jar = await pending(target, "alice");
    await jar.verify(phone.code(target.clock()), { trustDevice: true });
    expect(kinds()).toEqual(["device-trusted"]);
    await jar.post("/2fa/backup-codes");
    expect(kinds()).toEqual(["backup-codes-regenerated"]);
    const other = await pending(target, "alice");
    await other.post("/2fa/backup-code", { code: backupCodes[0]! });
    expect(kinds()).toEqual([]);
    await jar.post(`/2fa/factors/${factorId}/remove`);
    expect(kinds()).toEqual(["factor-removed"]);
  });

  test("of a backup code used, of a lock, and of what the application did", async () => {
    const { target, kinds } = noticing();
    const { backupCodes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (let count = 0; count < 6; count += 1) await jar.verify("000000");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    await target.mfa.accounts.signOutEverywhere("u1");
    await target.mfa.accounts.reset("u1");
    await aside();
    expect(kinds()).toEqual(["factor-enrolled", "locked", "backup-code-used", "signed-out-everywhere", "admin-reset"]);
  });

  test("by a function that answers nothing, too", async () => {
    const told: string[] = [];
    const target = testApp({
      options: {
        notify: ({ kind }) => {
          told.push(kind);
        },
      },
    });
    await enrolled(target, "alice");
    await aside();
    expect([told, actions(target).includes("notice-failed")]).toEqual([["factor-enrolled"], false]);
  });

  test("with whose account it is and the event behind it", async () => {
    const { target, notices } = noticing();
    await enrolled(target, "alice");
    const [event] = target.events;
    expect(notices).toEqual([{ kind: "factor-enrolled", userId: "u1", event }]);
  });

  test("of a lock once, however often the stranger goes on", async () => {
    const { target, kinds } = noticing();
    await enrolled(target, "alice");
    target.clock.advance(60 * MINUTE);
    const jar = await pending(target, "alice");
    for (let count = 0; count < 25; count += 1) await jar.verify("000000");
    await aside();
    expect(kinds().filter((kind) => kind === "locked")).toEqual(["locked"]);
  });

  test("of nothing that happens every day", async () => {
    const { target, kinds } = noticing();
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    kinds();
    await (await pending(target, "alice")).verify("000000");
    await jar.post(`/2fa/factors/${factorId}/rename`, { label: "x" });
    await jar.post("/logout");
    await jar.login("alice");
    await full(target, "alice", phone);
    await aside();
    expect(kinds()).toEqual([]);
  });
});

describe("a notice that cannot be delivered", () => {
  test.each<[string, Notify]>([
    ["rejects", () => Promise.reject(new Error("the mail server is away"))],
    [
      "throws",
      () => {
        throw new Error("no such template");
      },
    ],
  ])("because notify %s is told of, and the answer is as ever", async (_name, notify) => {
    const target = testApp({ options: { notify } });
    const { phone } = await enrolled(target, "alice");
    await aside();
    expect(target.events.slice(0, 2)).toMatchObject([
      { action: "factor-enrolled", outcome: "success" },
      { action: "notice-failed", outcome: "failure", userId: "u1", reason: "factor-enrolled" },
    ]);
    expect(JSON.stringify(target.events)).not.toMatch(/mail server|template/);
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
  });

  test("because notify hangs delays no answer", async () => {
    const target = testApp({ options: { notify: () => new Promise(() => undefined) } });
    const { phone } = await enrolled(target, "alice");
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
    expect(actions(target)).not.toContain("notice-failed");
  });

  test("because notify hangs is told of in the end", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "Date"] });
    try {
      const target = testApp({ options: { notify: () => new Promise(() => undefined) } });
      await target.mfa.accounts.signOutEverywhere("u1");
      expect(actions(target)).toEqual(["signed-out-everywhere"]);
      await jest.advanceTimersByTimeAsync(60_000);
      expect(target.events).toMatchObject([{ action: "notice-failed", reason: "signed-out-everywhere" }]);
    } finally {
      jest.useRealTimers();
    }
  });
});
