import { describe, expect, test } from "@jest/globals";
import { ConfigurationError, secondFactor } from "express-second-factor";
import { ORIGIN, type TestApp } from "../support/app.js";
import { storedAccount } from "../support/attack.js";
import { DESK, desk, give } from "./stage.js";

type Given = Record<string, unknown>;
type Operation = (...given: unknown[]) => Promise<unknown>;

/** What operators do, and what is told of it. */
const OPERATIONS = {
  reset: "admin-reset",
  regenerateBackupCodes: "backup-codes-regenerated",
  signOutEverywhere: "signed-out-everywhere",
  export: "account-exported",
  erase: "account-erased",
  removeFactor: "factor-removed",
} as const;

function call({ mfa }: TestApp, name: string, factorId: string, options?: Given): Promise<unknown> {
  const operations = mfa.accounts as unknown as Record<string, Operation>;
  const given = name === "removeFactor" ? ["u1", factorId, options] : ["u1", options];
  return operations[name]!(...given);
}

describe("why an operator does something", () => {
  test.each(Object.entries(OPERATIONS))("%s is told as %s, with who and why", async (name, action) => {
    const { factorId, notices, target } = await desk();
    await call(target, name, factorId, DESK);
    expect(target.events.find((event) => event.action === action)).toMatchObject(DESK);
    expect(notices.map(({ details }) => details.reason)).not.toContain(DESK.reason);
  });

  test("is one line of 255 characters, whatever was given", async () => {
    const { target } = await desk();
    const reason = `first\r\nsecond\u2028third${"x".repeat(300)}`;
    await target.mfa.accounts.signOutEverywhere("u1", { ...DESK, reason });
    const told = target.events.at(-1)?.reason ?? "";
    expect([told.length, told.startsWith("first second third"), /[\r\n\u2028]/.test(told)]).toEqual([255, true, false]);
  });

  test("so is who did it, in the account too", async () => {
    const { target } = await desk();
    const actor = `support\r\n:7\u2028${"x".repeat(300)}`;
    const told = `support :7 ${"x".repeat(255)}`.slice(0, 255);
    await target.mfa.accounts.signOutEverywhere("u1", { ...DESK, actor });
    await give(target, { actor });
    await target.mfa.accounts.export("u1", { ...DESK, actor });
    const actors = target.events.slice(-3).map((event) => event.actor);
    expect(actors).toEqual([told, told, told]);
  });

  test("stands where our own word for why stood", async () => {
    const { target } = await desk();
    target.events.length = 0;
    await target.mfa.accounts.signOutEverywhere("u1", { actor: "support:7" });
    expect(target.events.at(-1)).not.toHaveProperty("reason");
  });

  test.each(["", "  \n", 7])("cannot be %j", async (reason) => {
    const { factorId, target } = await desk();
    const refused = call(target, "reset", factorId, { ...DESK, reason });
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(/reason: must be text that says why/);
  });

  test.each(Object.keys(OPERATIONS))("%s needs neither where no help desk is configured", async (name) => {
    const { factorId, target } = await desk();
    await expect(call(target, name, factorId)).resolves.not.toThrow();
  });

  test.each(Object.keys(OPERATIONS))(
    "%s needs both where one is, and says all that is missing at once",
    async (name) => {
      const { factorId, target } = await desk({ helpDesk: {} });
      const before = await storedAccount(target, "alice");
      const refused = call(target, name, factorId);
      await expect(refused).rejects.toThrow(ConfigurationError);
      const problems = [`mfa.accounts.${name}: actor: say who acts`, `mfa.accounts.${name}: reason: say why`];
      await expect(refused).rejects.toMatchObject({ problems: problems.map((text) => expect.stringContaining(text)) });
      await expect(call(target, name, factorId, { ...DESK, actor: "u1" })).rejects.toThrow(/is the user themselves/);
      expect(await storedAccount(target, "alice")).toBe(before);
      await expect(call(target, name, factorId, DESK)).resolves.not.toThrow();
    },
  );
});

describe("what is given out always has an operator, and a reason", () => {
  test.each([
    [{ reason: DESK.reason }, ConfigurationError, /actor: say who acts/],
    [{ actor: DESK.actor }, ConfigurationError, /reason: say why/],
    [{ ...DESK, actor: "" }, ConfigurationError, /actor: say who acts/],
    [{ ...DESK, actor: " \u200b" }, ConfigurationError, /actor: say who acts/],
    [{ ...DESK, reason: "" }, ConfigurationError, /reason: say why/],
    [{ ...DESK, reason: " \n" }, ConfigurationError, /reason: say why/],
    [{ actor: "u1", reason: "me" }, ConfigurationError, /actor: is the user themselves/],
    [{ ...DESK, actor: 7 }, TypeError, /actor: must be text that is not empty, and is a number/],
    [{ ...DESK, expiresIn: "25h" }, TypeError, /expiresIn: must be a duration of at most 24 hours/],
    [{ ...DESK, expiresIn: 60 }, TypeError, /expiresIn: /],
    [{ ...DESK, uses: 6 }, TypeError, /uses: must be a whole number from 1 to 5/],
    [{ ...DESK, uses: 0 }, TypeError, /uses: /],
    [{ ...DESK, code: "x" }, TypeError, /code: there is no such option/],
  ])("issueTemporaryPass(%j) gives none out", async (options, kind, says) => {
    const { target } = await desk();
    const refused = target.mfa.accounts.issueTemporaryPass("u1", options as never);
    await expect(refused).rejects.toThrow(kind);
    await expect(refused).rejects.toThrow(says);
  });

  test("all that is wrong is said at once", async () => {
    const { target } = await desk();
    const refused = target.mfa.accounts.issueTemporaryPass("u1", { uses: 9, expiresIn: "2d" } as never);
    await expect(refused).rejects.toMatchObject({ problems: { length: 4 } });
  });

  test("a caller check has an operator", async () => {
    const { target } = await desk();
    const { callerCheck } = target.mfa.accounts;
    for (const options of [undefined, {}, { actor: "u1" }, { actor: "" }, { actor: null }]) {
      await expect(callerCheck.begin("u1", options as never)).rejects.toThrow(ConfigurationError);
      await expect(callerCheck.verify("u1", "000000", options as never)).rejects.toThrow(ConfigurationError);
    }
    await expect(callerCheck.begin("u1", { actor: "support:7", reason: 7 } as never)).rejects.toThrow(TypeError);
  });

  test("the longest terms are 24 hours and five uses", async () => {
    const { target } = await desk();
    await expect(give(target, { expiresIn: "24h", uses: 5 })).resolves.toBeDefined();
  });
});

describe("the option helpDesk", () => {
  test.each([
    [true, /helpDesk: write \{ approvals: 2 \}/],
    [{ approvals: 3 }, /helpDesk\.approvals: 1, or 2/],
    [{ approvals: "2" }, /helpDesk\.approvals/],
    [{ approval: 2 }, /helpDesk\.approval/],
  ])("%j is refused at start", (helpDesk, says) => {
    expect(() => secondFactor({ issuer: "Acme", origin: ORIGIN, helpDesk: helpDesk as never })).toThrow(says);
  });
});
