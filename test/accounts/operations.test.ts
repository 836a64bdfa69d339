import { describe, expect, test } from "@jest/globals";
import { MINUTE, STEP, storedAccount, trusted } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";
import { actions, happened } from "../support/observe.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

async function alice(): Promise<Enrolled & { target: TestApp; jar: Jar }> {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  const jar = await full(target, "alice", factor.phone);
  actions(target);
  return { target, ...factor, jar };
}

describe("mfa.accounts.status", () => {
  test("says whether there is a second factor, of which kinds, and how many backup codes are left", async () => {
    const { target, backupCodes } = await alice();
    await target.mfa.accounts.verify("u1", { method: "backup-code", code: backupCodes[0]! });
    expect(await target.mfa.accounts.status("u1")).toEqual({
      enrolled: true,
      methods: ["totp", "backup-code"],
      backupCodesRemaining: 9,
      disabled: [],
    });
  });
});

describe("mfa.accounts.factors", () => {
  test("lists factors as their owner sees them", async () => {
    const { target, jar, factorId } = await alice();
    const factors = await target.mfa.accounts.factors("u1");
    expect(factors).toEqual((await jar.get("/2fa/settings")).body.factors);
    expect(factors).toMatchObject([{ id: factorId, type: "totp" }]);
  });
});

describe("mfa.accounts.verify", () => {
  test("verifies a code and uses it up, everywhere", async () => {
    const { target, phone, factorId } = await alice();
    const code = phone.code(target.clock());
    const options = { method: "totp", code } as const;
    expect(await target.mfa.accounts.verify("u1", options)).toEqual({ ok: true, method: "totp", factorId });
    expect(await target.mfa.accounts.verify("u1", options)).toEqual({ ok: false, code: "invalid-code" });
    expect((await (await pending(target, "alice")).verify(code)).status).toBe(401);
  });

  test("does not sign anybody in", async () => {
    const { target, phone } = await alice();
    const jar = await pending(target, "alice");
    await target.mfa.accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) });
    expect(await jar.isIn()).toBe(false);
  });

  test("counts attempts as the routes do, and with them", async () => {
    const { target, phone } = await alice();
    const jar = await pending(target, "alice");
    const wrong = { method: "totp", code: "000000" } as const;
    for (let count = 0; count < 3; count += 1) await jar.verify("000000");
    for (let count = 0; count < 2; count += 1)
      expect(await target.mfa.accounts.verify("u1", wrong)).toMatchObject({ ok: false });
    const right = { method: "totp", code: phone.code(target.clock()) } as const;
    expect(await target.mfa.accounts.verify("u1", right)).toEqual({
      ok: false,
      code: "too-many-attempts",
      retryAfter: expect.any(Number),
    });
    expect((await jar.verify(right.code)).status).toBe(429);
  });

  test("counts nothing for what is no code", async () => {
    const { target, phone } = await alice();
    for (let count = 0; count < 20; count += 1) {
      expect(await target.mfa.accounts.verify("u1", { method: "totp", code: "1234" })).toEqual({
        ok: false,
        code: "invalid-request",
      });
    }
    expect(await target.mfa.accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) })).toMatchObject({
      ok: true,
    });
  });

  test("knows only configured methods", async () => {
    const { target } = await alice();
    expect(await target.mfa.accounts.verify("u1", { method: "push", code: "1" })).toEqual({
      ok: false,
      code: "not-found",
    });
  });

  test("tells who verified, from where", async () => {
    const { target, phone, factorId } = await alice();
    const client = { ip: "192.0.2.7", userAgent: "desk/1", requestId: "r-1" };
    await target.mfa.accounts.verify("u1", {
      method: "totp",
      code: phone.code(target.clock()),
      actor: "desk:7",
      client,
    });
    await target.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
    expect(happened(target)).toMatchObject([
      {
        action: "factor-verified",
        outcome: "success",
        userId: "u1",
        actor: "desk:7",
        method: "totp",
        factorId,
        ...client,
      },
      { action: "factor-failed", outcome: "failure", userId: "u1", actor: "system", method: "totp" },
    ]);
  });
});

describe("mfa.accounts.removeFactor", () => {
  test("removes one, ends every login and says that it was there", async () => {
    const { target, jar, factorId } = await alice();
    expect(await target.mfa.accounts.removeFactor("u1", factorId, { actor: "admin:1" })).toBe(true);
    expect(happened(target)).toMatchObject([{ action: "factor-removed", userId: "u1", actor: "admin:1", factorId }]);
    expect(await jar.isIn()).toBe(false);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
    expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(0);
    actions(target);
    expect(await target.mfa.accounts.removeFactor("u1", factorId)).toBe(false);
    expect(actions(target)).toEqual([]);
  });

  test("leaves the backup codes while another factor stays", async () => {
    const { target, factorId } = await alice();
    await target.mfa.accounts.importTotp("u1", { secret: SECRET });
    await target.mfa.accounts.removeFactor("u1", factorId);
    expect(await target.mfa.accounts.status("u1")).toMatchObject({ enrolled: true, backupCodesRemaining: 10 });
  });
});

describe("mfa.accounts.reset", () => {
  test("removes everything and ends every login", async () => {
    const { target, phone, jar } = await alice();
    await trusted(target, "alice", phone);
    actions(target);
    expect(await target.mfa.accounts.reset("u1", { actor: "admin:42" })).toBe(true);
    expect(happened(target)).toMatchObject([{ action: "admin-reset", actor: "admin:42", userId: "u1" }]);
    expect(await jar.isIn()).toBe(false);
    expect(await target.mfa.accounts.export("u1")).toMatchObject({
      factors: [],
      devices: [],
      sessions: [],
      backupCodes: { remaining: 0 },
      activity: [{ action: "admin-reset" }, {}, {}, {}],
    });
    expect((await jar.login("alice")).status).toBe(302);
  });

  test("says where there was nothing", async () => {
    const { target } = await alice();
    expect(await target.mfa.accounts.reset("u3")).toBe(false);
    expect(actions(target)).toEqual([]);
  });
});

describe("mfa.accounts.regenerateBackupCodes", () => {
  test("answers a new set; the old one is dead", async () => {
    const { target, backupCodes: old } = await alice();
    const codes = (await target.mfa.accounts.regenerateBackupCodes("u1", { actor: "admin:1" }))!;
    expect(codes).toHaveLength(10);
    expect(happened(target)).toMatchObject([{ action: "backup-codes-regenerated", actor: "admin:1" }]);
    const verify = (code: string) => target.mfa.accounts.verify("u1", { method: "backup-code", code });
    expect([await verify(old[0]!), await verify(codes[0]!)]).toMatchObject([{ ok: false }, { ok: true }]);
  });

  test("answers nothing where no factor is", async () => {
    const { target } = await alice();
    expect(await target.mfa.accounts.regenerateBackupCodes("u3")).toBeUndefined();
    expect((await target.mfa.accounts.status("u3")).backupCodesRemaining).toBe(0);
    expect(actions(target)).toEqual([]);
  });
});

describe("mfa.accounts.revokeDevices", () => {
  test("ends all trust, and says whether there was any", async () => {
    const { target, phone } = await alice();
    await trusted(target, "alice", phone);
    actions(target);
    expect(await target.mfa.accounts.revokeDevices("u1", { actor: "admin:1" })).toBe(true);
    expect(happened(target)).toMatchObject([{ action: "device-revoked", actor: "admin:1", reason: "all" }]);
    expect((await target.mfa.accounts.export("u1")).devices).toEqual([]);
    expect(await target.mfa.accounts.revokeDevices("u1")).toBe(false);
  });
});

describe("mfa.accounts.signOutEverywhere", () => {
  test("ends every login, of users without a second factor too", async () => {
    const { target, jar } = await alice();
    const carol = await pending(target, "carol");
    for (const id of ["u1", "u3"]) await target.mfa.accounts.signOutEverywhere(id, { actor: "admin:1" });
    expect([await jar.isIn(), await carol.isIn()]).toEqual([false, false]);
    expect(target.events.filter(({ action }) => action === "signed-out-everywhere")).toMatchObject([
      { userId: "u1", actor: "admin:1" },
      { userId: "u3", actor: "admin:1" },
    ]);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(true);
  });
});

describe("mfa.accounts.passwordChanged", () => {
  test("ends trust and leaves logins", async () => {
    const { target, phone, jar } = await alice();
    const device = await trusted(target, "alice", phone);
    await target.mfa.accounts.passwordChanged("u1");
    expect(await jar.isIn()).toBe(true);
    await device.post("/logout");
    expect((await device.login("alice")).status).toBe(401);
  });

  test("ends logins as well where it is told to", async () => {
    const { target, jar } = await alice();
    await target.mfa.accounts.passwordChanged("u1", { signOut: true, actor: "u1" });
    expect(await jar.isIn()).toBe(false);
    expect(target.events.at(-2)).toMatchObject({ action: "password-changed", actor: "u1" });
  });

  test("neither removes nor skips the second factor", async () => {
    const { target } = await alice();
    await target.mfa.accounts.passwordChanged("u1", { signOut: true });
    const jar = await pending(target, "alice");
    expect((await jar.get("/2fa")).body.status).toBe("pending");
  });

  test("is told of even where nothing had to end", async () => {
    const { target } = await alice();
    await target.mfa.accounts.passwordChanged("u1", { actor: "u1" });
    expect(happened(target)).toMatchObject([{ action: "password-changed", userId: "u1", actor: "u1" }]);
  });
});

describe("mfa.accounts.importTotp", () => {
  test("is told of, with who did it and without the secret", async () => {
    const { target } = await alice();
    const { id } = await target.mfa.accounts.importTotp("u3", { secret: SECRET, actor: "migration" });
    const events = happened(target);
    expect(events).toMatchObject([
      { action: "factor-imported", userId: "u3", actor: "migration", method: "totp", factorId: id },
    ]);
    expect(JSON.stringify(events)).not.toContain(SECRET);
    expect(await storedAccount(target, "carol")).not.toContain(SECRET);
  });

  test("brings no backup codes, which can be made afterwards", async () => {
    const { target } = await alice();
    await target.mfa.accounts.importTotp("u3", { secret: SECRET });
    expect((await target.mfa.accounts.status("u3")).backupCodesRemaining).toBe(0);
    expect(await target.mfa.accounts.regenerateBackupCodes("u3")).toHaveLength(10);
  });
});

describe("mfa.accounts.export", () => {
  test("is everything the owner sees, and no secret", async () => {
    const { target, phone, backupCodes, jar } = await alice();
    await trusted(target, "alice", phone);
    const { kept, ...exported } = await target.mfa.accounts.export("u1");
    const { body } = await jar.get("/2fa/settings");
    expect(exported).toEqual({
      ...body,
      sessions: (body.sessions as object[]).map((session) => ({ ...session, current: false })),
    });
    expect([exported.devices, exported.sessions]).toMatchObject([[{ current: false }], [{}, {}]]);
    const text = JSON.stringify([exported, kept]);
    for (const secret of [phone.secret, ...backupCodes]) expect(text).not.toContain(secret);
    for (const word of ["digest", "salt", "secret", "sealed", "spent"]) expect(text).not.toContain(word);
  });
});

describe("mfa.accounts.erase", () => {
  test("forgets everything about the user, and says whether there was anything", async () => {
    const { target, factorId } = await alice();
    expect(await target.mfa.accounts.erase("u1", { actor: "gdpr" })).toBe(true);
    expect(happened(target)).toMatchObject([{ action: "account-erased", userId: "u1", actor: "gdpr" }]);
    const left = JSON.parse((await storedAccount(target, "alice"))!) as Record<string, unknown>;
    const { format: _format, userId, sessionEpoch, attempts, forgottenAt, unmarkedOver, endedLogins, ...rest } = left;
    expect(unmarkedOver).toEqual({ touchedBy: expect.any(Number), keptUntil: forgottenAt });
    for (const end of endedLogins as object[]) expect(Object.keys(end)).toEqual(["id", "until", "endedAt"]);
    expect([attempts, forgottenAt]).toEqual([{}, target.clock() + 30 * 24 * 60 * 60_000]);
    expect([userId, sessionEpoch]).toEqual(["u1", expect.stringMatching(/^[A-Za-z0-9_-]{22}$/)]);
    expect(Object.values(rest).every((value) => Array.isArray(value) && value.length === 0)).toBe(true);
    expect(JSON.stringify(left)).not.toContain(factorId);
    expect(await target.mfa.accounts.export("u1")).toMatchObject({ factors: [], sessions: [], activity: [] });
    expect(await target.mfa.accounts.erase("u1")).toBe(false);
  });

  test("leaves a mark for thirty days only, so that no session from before comes back to life", async () => {
    const { target, jar } = await alice();
    await target.mfa.accounts.erase("u1");
    expect(await jar.isIn()).toBe(false);
    target.clock.advance(30 * 24 * 60 * MINUTE - 1);
    expect(await storedAccount(target, "alice")).toBeDefined();
    target.clock.advance(1);
    expect(await storedAccount(target, "alice")).toBeUndefined();
  });

  test("lets the user begin anew", async () => {
    const { target } = await alice();
    await target.mfa.accounts.erase("u1");
    const { phone } = await enrolled(target, "alice");
    await full(target, "alice", phone);
    target.clock.advance(40 * 24 * 60 * MINUTE);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(true);
  });

  test("does not take with the mark, thirty days later, what was set up over it, whatever is tidied up meanwhile", async () => {
    const { target } = await alice();
    for (const name of ["mallory", "carol", "dave"]) await enrolled(target, name);
    for (const id of ["u1", "u2", "u3", "u4"]) await target.mfa.accounts.erase(id);
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(31 * 24 * 60 * MINUTE);
    for (let write = 0; write < 10; write += 1) {
      await target.mfa.accounts.verify(`x${write}`, { method: "totp", code: "000000" });
    }
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await storedAccount(target, "mallory")).toBeUndefined();
  });
});

describe("a user nobody has heard of", () => {
  test("answers as one without factors", async () => {
    const target = testApp();
    const { accounts } = target.mfa;
    const nobody = "nobody:../1\u0000";
    expect(await accounts.status(nobody)).toEqual({
      enrolled: false,
      methods: [],
      backupCodesRemaining: 0,
      disabled: [],
    });
    expect(await accounts.factors(nobody)).toEqual([]);
    expect(await accounts.removeFactor(nobody, "x")).toBe(false);
    expect(await accounts.reset(nobody)).toBe(false);
    expect(await accounts.revokeDevices(nobody)).toBe(false);
    expect(await accounts.regenerateBackupCodes(nobody)).toBeUndefined();
    expect(await accounts.erase(nobody)).toBe(false);
    expect(await accounts.verify(nobody, { method: "totp", code: "000000" })).toEqual({
      ok: false,
      code: "invalid-code",
    });
    await expect(accounts.passwordChanged(nobody)).resolves.toBeUndefined();
    await expect(accounts.signOutEverywhere(nobody)).resolves.toBeUndefined();
    expect(await accounts.export(nobody)).toMatchObject({ factors: [], devices: [], sessions: [] });
  });

  test("is limited in guessing like any other", async () => {
    const { accounts } = testApp().mfa;
    const codes: unknown[] = [];
    for (let count = 0; count < 6; count += 1) {
      const answer = await accounts.verify("nobody", { method: "totp", code: "000000" });
      codes.push(answer.ok ? "ok" : answer.code);
    }
    expect(codes).toEqual([...Array<string>(5).fill("invalid-code"), "too-many-attempts"]);
  });
});

describe("what the application does without naming who does it", () => {
  test('is done by "system"', async () => {
    const { target, phone, factorId } = await alice();
    const { accounts } = target.mfa;
    await accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) });
    await accounts.importTotp("u1", { secret: SECRET });
    await accounts.regenerateBackupCodes("u1");
    await accounts.removeFactor("u1", factorId);
    await accounts.signOutEverywhere("u1");
    await accounts.reset("u1");
    await accounts.erase("u1");
    const events = happened(target);
    expect(events.map(({ action }) => action)).toEqual([
      "factor-verified",
      "factor-imported",
      "backup-codes-regenerated",
      "factor-removed",
      "signed-out-everywhere",
      "admin-reset",
      "account-erased",
    ]);
    expect(new Set(events.map(({ actor }) => actor))).toEqual(new Set(["system"]));
  });
});

describe("mfa.ready", () => {
  test("resolves where the store answers", async () => {
    const { target } = await alice();
    target.clock.advance(MINUTE + STEP);
    await expect(target.mfa.ready()).resolves.toBeUndefined();
  });
});
