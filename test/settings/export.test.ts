import { describe, expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import type { Account } from "../../lib/core/account.js";
import { DESK, OTHER, undone } from "../help-desk/stage.js";
import { DAY, HOUR, MINUTE, storedAccount, trusted } from "../support/attack.js";
import { testApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";
import { told } from "../support/recovery.js";

const EXPORT = "/2fa/settings/export";

describe("GET /2fa/settings/export", () => {
  test("is a file of what the application can export of this user, in browsers too, kept by no cache", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    for (const accept of ["application/json", "text/html"]) {
      const { body, headers, status } = await jar.get(EXPORT).set("Accept", accept);
      expect([status, headers["content-type"], headers["content-disposition"], headers["cache-control"]]).toEqual([
        200,
        "application/json; charset=utf-8",
        'attachment; filename="two-step-sign-in.json"',
        "no-store",
      ]);
      expect(body).toEqual(JSON.parse(JSON.stringify(await target.mfa.accounts.export("u1"))));
    }
  });

  test.each([{}, { helpDesk: {} }])("is told as the owner's own doing, and where from (%j)", async (options) => {
    const target = testApp({ options });
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    target.events.length = 0;
    expect((await jar.get(EXPORT)).status).toBe(200);
    expect(target.events).toMatchObject([
      { action: "account-exported", userId: "u1", actor: "u1", ip: expect.any(String) },
    ]);
  });

  test("has no secret and no code in it", async () => {
    const target = testApp();
    const { backupCodes, phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const { text } = await (await full(target, "alice", phone)).get(EXPORT);
    for (const secret of [phone.secret, ...backupCodes]) expect(text).not.toContain(secret);
  });

  test("is for nobody who has given a first factor alone, nor for a trusted browser or a proof of an hour ago", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    target.clock.advance(HOUR);
    expect((await jar.get(EXPORT)).body).toMatchObject({ status: 401, code: "step-up-required" });
    expect((await (await pending(target, "alice")).get(EXPORT)).body).toMatchObject({ code: "second-factor-required" });
    const browser = await trusted(target, "alice", phone);
    await browser.post("/logout");
    await browser.login("alice");
    expect((await browser.get(EXPORT)).body).toMatchObject({ code: "step-up-required" });
  });
});

describe("what the settings do not show", () => {
  /** Staff are about to do something, a recovery waits, somebody guesses, and support is on the line. */
  async function busy() {
    const notices: Notice[] = [];
    const target = testApp({
      options: { helpDesk: { approvals: 2 }, notify: async (notice) => void notices.push(notice) },
    });
    const owner = await enrolled(target, "alice");
    const { accounts } = target.mfa;
    target.clock.advance(MINUTE);
    await full(target, "alice", owner.phone);
    const { requestId: asked = "" } = await undone(accounts.issueTemporaryPass("u1", { ...DESK, uses: 2 }));
    const approved = await accounts.approve(asked, OTHER);
    const { requestId = "" } = await undone(accounts.reset("u1", DESK));
    await accounts.callerCheck.begin("u1", DESK);
    const jar = await pending(target, "alice");
    await jar.verify("000000");
    expect((await jar.post("/2fa/recovery")).status).toBe(202);
    await told();
    const token = new URL(notices.find(({ links }) => links.confirm)!.links.confirm!).searchParams.get("token")!;
    expect((await jar.post("/2fa/recovery/confirm", { token })).status).toBe(200);
    return { target, owner, secrets: [asked, requestId, (approved as { code: string }).code, token] };
  }

  test("is in `kept`: passes, what the help desk asked for, a recovery, logins that wait, attempts, and when each is over", async () => {
    const { owner, target } = await busy();
    const now = target.clock();
    const iso = (after: number): string => new Date(now + after).toISOString();
    const { kept } = await target.mfa.accounts.export("u1", DESK);
    const proved = expect.stringMatching(/^2026-11-21T12:01/);
    const browser = "Unknown browser";
    const ip = "127.0.0.1";
    expect(kept).toMatchObject({
      userId: "u1",
      factors: [{ type: "backup-code" }, { id: owner.factorId, failures: 1, lastUsedAt: proved }],
      logins: [{ proofs: [{ method: "totp", factorId: owner.factorId, at: proved }] }],
      attempts: { totp: { count: 1 }, recovery: { count: 1, endsAt: iso(DAY) } },
      waiting: [{ browser, ip, at: iso(0), until: iso(10 * MINUTE) }],
      browsers: { browsers: 2, addresses: 0 },
      recovery: { browser, ip, requestedAt: iso(0), confirmedAt: iso(0), completesAt: iso(DAY), halfAt: iso(DAY / 2) },
      passes: [{ issuedAt: iso(0), expiresAt: iso(HOUR), actor: DESK.actor, uses: 2 }],
      callerCheck: { beganAt: iso(0), wrong: 0 },
      deskRequests: [{ operation: "reset", askedAt: iso(0), actor: DESK.actor }],
    });
    await target.mfa.accounts.erase("u1", DESK);
    const mark = (await target.mfa.accounts.export("u1", DESK)).kept;
    expect(Object.keys(mark)).toEqual(["userId", "endedLogins", "unmarkedOver", "forgottenAt"]);
  });

  test("holds no code, no link, no id that opens something, and not why staff did it", async () => {
    const { owner, secrets, target } = await busy();
    const text = JSON.stringify(await target.mfa.accounts.export("u1", DESK));
    const row = JSON.parse((await storedAccount(target, "alice"))!) as Account;
    const internal = [
      row.deskRequests![0]!.id,
      row.recovery!.id,
      row.recovery!.link,
      row.recovery!.reach,
      row.passes![0]!.id,
    ];
    const hidden = [...secrets, ...internal, owner.phone.secret, ...owner.backupCodes, DESK.reason, "alice@acme.test"];
    expect(hidden.filter((each) => text.includes(each))).toEqual([]);
  });
});
