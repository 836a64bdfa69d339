import { describe, expect, test } from "@jest/globals";
import { HOUR, MINUTE } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import type { Phone } from "../support/phone.js";
import { askedBy, denied, pushApp, type PushApp, status, waitingFor, withPhone } from "../support/push.js";

const SECOND = 1_000;
/** A limit that is in no test's way. */
const OFTEN = { limits: { push: { limit: 1_000, window: "15m" } } } as const;

async function begun(options: Parameters<typeof pushApp>[0] = {}) {
  const target = pushApp(options);
  return { target, phone: await withPhone(target) };
}

async function refusal(target: PushApp): Promise<readonly unknown[]> {
  const { body, headers, status: code } = await (await pending(target, "alice")).post("/2fa/push/send");
  const { code: name, reason } = body as Record<string, unknown>;
  return code === 202 ? [202] : [code, name, reason, headers["retry-after"]];
}

async function approved(target: PushApp, phone: Phone): Promise<void> {
  const { jar, sent } = await waitingFor(target);
  await phone.approve(sent.number);
  expect((await status(jar, sent.requestId)).body.status).toBe("verified");
}

describe("how often devices are asked", () => {
  test("is five times in fifteen minutes, approved requests counted, and from the last millisecond on again", async () => {
    const { target, phone } = await begun();
    for (let times = 0; times < 5; times += 1) await approved(target, phone);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "900"]);
    target.clock.advance(15 * MINUTE - 1);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "1"]);
    target.clock.advance(1);
    expect(await refusal(target)).toEqual([202]);
    expect(target.channel.messages).toHaveLength(6);
  });

  test("is of the account, not of one login, and what the option says", async () => {
    const { target } = await begun({ options: { limits: { push: { limit: 2, window: "1m" } } } });
    for (let times = 0; times < 2; times += 1) expect(await refusal(target)).toEqual([202]);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "60"]);
    target.clock.advance(MINUTE);
    expect(await refusal(target)).toEqual([202]);
  });

  test("keeps nobody from any other way to sign in", async () => {
    const { target } = await begun();
    const jar = new Jar(target);
    await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
    for (let times = 0; times < 6; times += 1) await refusal(target);
    await jar.login("alice");
    const { methods } = (await jar.get("/2fa")).body as { methods: readonly { type: string }[] };
    expect(methods.map(({ type }) => type)).toContain("totp");
    expect((await jar.verify("000000")).status).toBe(401);
  });
});

describe("after requests that were denied, or that nobody answered", () => {
  test("nothing is asked for 5, 15, 60 and 60 minutes, each exactly, and one alone keeps nothing back", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    await denied(target, phone);
    for (const minutes of [5, 15, 60, 60]) {
      target.clock.advance(10 * SECOND);
      await denied(target, phone);
      expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", String(60 * minutes)]);
      target.clock.advance(minutes * MINUTE - 1);
      expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "1"]);
      target.clock.advance(1);
    }
    expect(await refusal(target)).toEqual([202]);
  });

  test("one that ran out counts from when it did, whenever somebody looks", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    await denied(target, phone);
    await waitingFor(target);
    target.clock.advance(2 * MINUTE);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "300"]);
    target.clock.advance(3 * MINUTE);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "120"]);
    target.clock.advance(2 * MINUTE);
    expect(await refusal(target)).toEqual([202]);
  });

  test("three wrong numbers are one of them; a request that another took the place of is none", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    const { sent } = await waitingFor(target);
    for (let tries = 0; tries < 3; tries += 1)
      await phone.approve(sent.number === "00" ? "01" : "00").catch(() => undefined);
    for (let times = 0; times < 5; times += 1) expect(await refusal(target)).toEqual([202]);
    await denied(target, phone);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "300"]);
  });

  test("one that nobody waits for any more is none: whoever asked has come in another way, and the device is asked no longer", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    await denied(target, phone);
    for (const code of phone.backupCodes.slice(0, 2)) {
      const { jar, sent } = await waitingFor(target);
      if (code === phone.backupCodes[1]) await phone.approve(sent.number);
      expect((await jar.post("/2fa/backup-code", { code })).status).toBe(200);
      expect(await phone.requests()).toEqual([]);
      target.clock.advance(3 * MINUTE);
    }
    expect(await refusal(target)).toEqual([202]);
    // Another login's is as open as it was, and one that ran out before is one.
    const other = await waitingFor(target);
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: phone.backupCodes[2] })).status).toBe(200);
    expect(await phone.requests()).toHaveLength(1);
    target.clock.advance(2 * MINUTE);
    expect((await other.jar.post("/2fa/backup-code", { code: phone.backupCodes[3] })).status).toBe(200);
    await denied(target, phone);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "300"]);
  });

  test("an approval begins the count anew", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    await denied(target, phone);
    await approved(target, phone);
    await denied(target, phone);
    expect(await refusal(target)).toEqual([202]);
    await denied(target, phone);
    target.clock.advance(5 * MINUTE);
    await approved(target, phone);
    await denied(target, phone);
    expect(await refusal(target)).toEqual([202]);
  });

  test("a clock that was set back, or was ahead, asks nobody to wait for longer than they would have", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    target.clock.advance(365 * 24 * HOUR);
    await denied(target, phone);
    await denied(target, phone);
    target.clock.advance(-365 * 24 * HOUR);
    expect(await refusal(target)).toEqual([202]);
    await phone.deny();
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "900"]);
    target.clock.advance(-2 * MINUTE);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "900"]);
    target.clock.advance(17 * MINUTE);
    expect(await refusal(target)).toEqual([202]);
  });

  test("a request of a clock that was ahead is over once that is set back", async () => {
    const { target, phone } = await begun({ options: OFTEN });
    target.clock.advance(HOUR);
    const { jar, sent } = await waitingFor(target);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    target.clock.advance(-HOUR);
    expect(await phone.requests()).toEqual([]);
    expect((await jar.post("/2fa/push/decide", body)).status).toBe(410);
    expect(await jar.isIn()).toBe(false);
  });
});

describe("this wasn't me", () => {
  async function reportedBy(phone: Phone, target: PushApp): Promise<void> {
    await waitingFor(target);
    await phone.notMe();
  }

  test("freezes: no device is asked, whoever asks and however long they wait", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    await phone.notMe();
    expect((await status(jar, sent.requestId)).body).toEqual({ state: "denied" });
    for (const later of [0, MINUTE, 25 * HOUR]) {
      target.clock.advance(later);
      expect(await refusal(target)).toEqual([403, "frozen", "push-reported", undefined]);
    }
    expect(target.channel.messages).toHaveLength(1);
  });

  test("is told: to the audit trail and to the owner's list, on which device", async () => {
    const { target, phone } = await begun();
    await reportedBy(phone, target);
    const told = target.events.filter(({ action }) => action === "push-reported");
    expect(told).toEqual([
      expect.objectContaining({ userId: "u1", method: "push", factorId: phone.factorId, outcome: "success" }),
    ]);
  });

  test.each(["backup code", "authenticator"])("ends once another factor is used: a %s", async (which) => {
    const { target, phone } = await begun();
    const imported = await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
    expect(imported.type).toBe("totp");
    await reportedBy(phone, target);
    const jar = await pending(target, "alice");
    const { authenticatorApp } = await import("express-second-factor/testing");
    const app = authenticatorApp("otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme");
    const proof =
      which === "authenticator"
        ? jar.verify(app.code(target.clock()))
        : jar.post("/2fa/backup-code", { code: phone.backupCodes[0] });
    expect((await proof).status).toBe(200);
    expect(await refusal(target)).toEqual([202]);
  });

  test("does not end by an approval that was given before, nor by a wrong code", async () => {
    const { target, phone } = await begun();
    await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
    const { jar, sent } = await waitingFor(target);
    await phone.approve(sent.number);
    const other = await waitingFor(target);
    await phone.notMe();
    expect((await status(jar, sent.requestId)).body).toEqual({ state: "expired" });
    expect((await other.jar.verify("000000")).status).toBe(401);
    expect(await refusal(target)).toEqual([403, "frozen", "push-reported", undefined]);
    expect([await jar.isIn(), await other.jar.isIn()]).toEqual([false, false]);
  });

  test("counts as denied too: what is asked after it has ended waits as after any two", async () => {
    const { target, phone } = await begun();
    await denied(target, phone);
    await reportedBy(phone, target);
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: phone.backupCodes[0] })).status).toBe(200);
    expect(await refusal(target)).toEqual([429, "too-many-attempts", "sending", "300"]);
    target.clock.advance(5 * MINUTE);
    await askedBy(await pending(target, "alice"));
  });
});
