import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { ConfigurationError } from "express-second-factor";
import { MINUTE, storedAccount, told } from "../support/attack.js";
import { full } from "../support/browser.js";
import { reported } from "../support/reports.js";
import { DESK, desk, give, OTHER, typed, undone } from "./stage.js";

const TWO = { helpDesk: { approvals: 2 } } as const;

describe("with a second operator (helpDesk: { approvals: 2 })", () => {
  test("a reset waits for the approval of another, and is done by it", async () => {
    const { notices, target } = await desk(TWO);
    const { accounts } = target.mfa;
    const asked = await undone(accounts.reset("u1", DESK));
    const expiresAt = new Date(target.clock() + 15 * MINUTE).toISOString();
    expect(asked).toMatchObject({ code: "approval-required", status: 202, expiresAt, requestId: expect.any(String) });
    expect((await accounts.status("u1")).enrolled).toBe(true);
    expect(await accounts.approve(asked.requestId!, OTHER)).toEqual({ operation: "reset", userId: "u1" });
    expect((await accounts.status("u1")).enrolled).toBe(false);
    expect(target.events.slice(-3)).toMatchObject([
      { action: "approval-requested", actor: "support:7", reason: `reset: ${DESK.reason}` },
      { action: "approval-given", actor: "support:8", reason: `reset: ${DESK.reason}` },
      { action: "admin-reset", actor: "support:7", reason: DESK.reason },
    ]);
    await nextTurn();
    expect(notices.filter(({ kind }) => kind === "admin-reset")).toHaveLength(1);
  });

  test("a pass is shown to whoever approves it, on the terms that were asked for", async () => {
    const { target } = await desk(TWO);
    const asked = await undone(give(target, { expiresIn: "30m", uses: 2 }));
    target.clock.advance(MINUTE);
    const done = await target.mfa.accounts.approve(asked.requestId!, OTHER);
    if (done.operation !== "issueTemporaryPass") throw new Error("Another operation was approved");
    expect(done).toMatchObject({ userId: "u1", expiresAt: new Date(target.clock() + 30 * MINUTE).toISOString() });
    expect((await typed(target, done.code)).answer.status).toBe(200);
    expect((await typed(target, done.code)).answer.status).toBe(200);
    expect(await storedAccount(target, "alice")).not.toContain(done.code.replaceAll("-", ""));
  });

  const spellings = [
    "support:7",
    "Support:7",
    " support:7 ",
    "support\uff1a7",
    "\u017fupport:7",
    "sup\u200bport:7",
    "support :7",
  ];
  const unseen = ["\ufe0f", "\u00ad", "\u3164", "\u2800", "\u202e", "\u{e0020}"].map((each) => `support:${each}7`);
  test.each([...spellings, ...unseen])("whoever asked cannot approve: %j", async (actor) => {
    const { target } = await desk(TWO);
    const { requestId } = await undone(target.mfa.accounts.reset("u1", DESK));
    const refused = target.mfa.accounts.approve(requestId!, { actor });
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(/actor: has asked for it/);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(true);
    expect(told("approval-given", target)).toBe(0);
  });

  test("nor the user it is about, nor nobody", async () => {
    const { target } = await desk(TWO);
    const { requestId } = await undone(target.mfa.accounts.reset("u1", DESK));
    await expect(target.mfa.accounts.approve(requestId!, { actor: "u1" })).rejects.toThrow(/is the user themselves/);
    await expect(target.mfa.accounts.approve(requestId!, {} as never)).rejects.toThrow(/actor: say who acts/);
    for (const actor of [" ", "\u200b", "\u2800\n"])
      await expect(target.mfa.accounts.approve(requestId!, { actor })).rejects.toThrow(/actor: say who acts/);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(true);
  });

  test("nor anybody who means another user by it", async () => {
    const { target } = await desk(TWO);
    const { accounts } = target.mfa;
    const { requestId } = await undone(accounts.reset("u1", DESK));
    expect((await undone(accounts.approve(requestId!, { ...OTHER, userId: "u5" }))).code).toBe("expired");
    await expect(accounts.approve(requestId!, { ...OTHER, userId: "" })).rejects.toThrow(
      /userId: must be text that is/,
    );
    expect((await accounts.status("u1")).enrolled).toBe(true);
    expect(await accounts.approve(requestId!, { ...OTHER, userId: "u1" })).toEqual({
      operation: "reset",
      userId: "u1",
    });
  });

  test("it is approved once, and within a quarter of an hour", async () => {
    const { target } = await desk(TWO);
    const { accounts } = target.mfa;
    const first = await undone(give(target));
    await accounts.approve(first.requestId!, OTHER);
    expect((await undone(accounts.approve(first.requestId!, OTHER))).code).toBe("expired");
    const second = await undone(give(target));
    target.clock.advance(15 * MINUTE);
    expect((await undone(accounts.approve(second.requestId!, OTHER))).code).toBe("expired");
  });

  test.each(["what", "AAAA.dTE", "AAAA", ".", "AAAA.dTE.x"])("nothing waits under %j", async (requestId) => {
    const { target } = await desk(TWO);
    expect((await undone(target.mfa.accounts.approve(requestId, OTHER))).code).toBe("expired");
  });

  test("asked for again by the same operator it is another request, and the one before is over", async () => {
    const { target } = await desk(TWO);
    const [one, two] = [await undone(give(target)), await undone(give(target))];
    expect((await undone(target.mfa.accounts.approve(one.requestId!, OTHER))).code).toBe("expired");
    await expect(target.mfa.accounts.approve(two.requestId!, OTHER)).resolves.toBeDefined();
  });

  test("what its owner's report has frozen meanwhile is not given out", async () => {
    const { target } = await desk(TWO);
    const { requestId } = await undone(give(target));
    await reported(target);
    expect((await undone(target.mfa.accounts.approve(requestId!, OTHER))).code).toBe("frozen");
    expect((await undone(give(target))).code).toBe("frozen");
  });

  test("nor is a reset that was asked for before its owner's report", async () => {
    const { target } = await desk(TWO);
    const { accounts } = target.mfa;
    const { requestId } = await undone(accounts.reset("u1", DESK));
    target.clock.advance(MINUTE);
    await reported(target);
    expect((await undone(accounts.approve(requestId!, OTHER))).code).toBe("frozen");
    expect((await accounts.status("u1")).enrolled).toBe(true);
    // Who asks now can know of the report.
    target.clock.advance(MINUTE);
    const again = await undone(accounts.reset("u1", DESK));
    await expect(accounts.approve(again.requestId!, OTHER)).resolves.toMatchObject({ operation: "reset" });
  });

  test.each(["reset", "pass"])("what was asked for is over once a factor is set up: %s", async (what) => {
    const { phone, target } = await desk(TWO);
    const { accounts } = target.mfa;
    const asked = await undone(what === "reset" ? accounts.reset("u1", DESK) : give(target));
    const jar = await full(target, "alice", phone);
    await jar.enroll();
    expect((await undone(accounts.approve(asked.requestId!, OTHER))).code).toBe("expired");
    expect(await accounts.factors("u1")).toHaveLength(2);
  });

  test("or once one is taken over", async () => {
    const { target } = await desk(TWO);
    const { accounts } = target.mfa;
    const asked = await undone(accounts.reset("u1", DESK));
    await accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA" });
    expect((await undone(accounts.approve(asked.requestId!, OTHER))).code).toBe("expired");
  });

  test.each(["reset", "pass"])("what two have asked for alike is done once: %s", async (what) => {
    const { target } = await desk(TWO);
    const { accounts } = target.mfa;
    const ask = (actor: string): Promise<unknown> => {
      const by = { ...DESK, actor };
      return what === "reset" ? accounts.reset("u1", by) : give(target, by);
    };
    const [one, other] = [await undone(ask("support:7")), await undone(ask("support:8"))];
    await accounts.approve(one.requestId!, OTHER);
    expect((await undone(accounts.approve(other.requestId!, { actor: "support:7" }))).code).toBe("expired");
  });

  test("what is asked for besides waits on, whoever asked for it, and is done for itself", async () => {
    const { target } = await desk(TWO);
    const { accounts } = target.mfa;
    const pass = await undone(give(target));
    const reset = await undone(accounts.reset("u1", DESK));
    const others = await undone(accounts.reset("u1", { ...DESK, actor: "support:9" }));
    const done = [];
    for (const { requestId } of [pass, reset]) done.push((await accounts.approve(requestId!, OTHER)).operation);
    expect(done).toEqual(["issueTemporaryPass", "reset"]);
    expect((await undone(accounts.approve(others.requestId!, OTHER))).code).toBe("expired");
  });

  test("nothing waits where there is nothing to reset", async () => {
    const { target } = await desk(TWO);
    expect(await target.mfa.accounts.reset("u4", DESK)).toBe(false);
  });

  test("everything else is done at once", async () => {
    const { target } = await desk(TWO);
    await target.mfa.accounts.signOutEverywhere("u1", DESK);
    expect(told("signed-out-everywhere", target)).toBe(1);
  });
});
