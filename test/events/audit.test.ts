import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, jest, test } from "@jest/globals";
import { type AuditAction, type AuditEvent, toOwasp } from "express-second-factor";
import { copyOf, deviceCookie, MINUTE, STEP, trusted } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { actions, happened } from "../support/observe.js";

async function alice() {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  target.clock.advance(60 * MINUTE);
  actions(target);
  return { target, ...factor };
}

describe("each flow tells what happened, in order:", () => {
  test("an enrollment", async () => {
    const target = testApp();
    const jar = await pending(target, "alice");
    expect(actions(target)).toEqual([]);
    const { factorId } = await jar.enroll();
    expect(happened(target)).toMatchObject([
      { action: "factor-enrolled", outcome: "success", userId: "u1", actor: "u1", method: "totp", factorId },
    ]);
  });

  test("a login with a code", async () => {
    const { target, phone, factorId } = await alice();
    await full(target, "alice", phone);
    expect(happened(target)).toMatchObject([
      { action: "challenge-issued", outcome: "success" },
      { action: "factor-verified", outcome: "success", method: "totp", factorId },
    ]);
  });

  test("a login with a wrong code first, and one that is none", async () => {
    const { target, phone } = await alice();
    const jar = await pending(target, "alice");
    await jar.verify("000000");
    await jar.verify("12");
    await jar.verify(phone.code(target.clock()));
    expect(happened(target)).toMatchObject([
      { action: "challenge-issued" },
      { action: "factor-failed", outcome: "failure", method: "totp" },
      { action: "factor-verified" },
    ]);
  });

  test("a login with a backup code, on a browser to be trusted, and the next one there", async () => {
    const { target, backupCodes } = await alice();
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]!, trustDevice: true });
    await jar.post("/logout");
    await jar.login("alice");
    expect(actions(target)).toEqual([
      "challenge-issued",
      "backup-code-used",
      "device-trusted",
      "signed-out",
      "device-used",
    ]);
  });

  test("a step-up", async () => {
    const { target, phone } = await alice();
    const jar = await full(target, "alice", phone);
    actions(target);
    await jar.verify(phone.code(target.clock()));
    expect(actions(target)).toEqual(["factor-verified", "step-up"]);
  });

  test("a lock, with the attempt that reaches the limit, and each attempt it refuses", async () => {
    const { target } = await alice();
    const jar = await pending(target, "alice");
    actions(target);
    for (let count = 0; count < 5; count += 1) await jar.verify("000000");
    const failed = { action: "factor-failed", outcome: "failure", method: "totp" };
    const locked = { action: "locked", outcome: "failure", method: "totp", reason: "totp" };
    expect(happened(target)).toMatchObject([failed, failed, failed, failed, failed, locked]);
    for (let count = 0; count < 3; count += 1) await jar.verify("000000");
    const refused = { action: "attempt-refused", outcome: "failure", method: "totp", reason: "totp" };
    expect(happened(target)).toMatchObject([refused, refused, refused]);
  });

  test("a lock of every limit that an attempt reaches, once in each window", async () => {
    const { target } = await alice();
    const tries = [...Array<string>(5).fill("/2fa/totp"), ...Array<string>(6).fill("/2fa/backup-code")];
    for (const window of [1, 2]) {
      const jar = await pending(target, "alice");
      for (const path of tries) await jar.post(path, { code: path === "/2fa/totp" ? "000000" : "0000-0000-0000-0000" });
      const locks = happened(target).filter(({ action }) => action === "locked");
      expect([window, locks.map(({ method, reason }) => [method, reason])]).toEqual([
        window,
        [
          ["totp", "totp"],
          ["backup-code", "allCodes"],
        ],
      ]);
      target.clock.advance(60 * MINUTE);
    }
  });

  test("changes of the settings", async () => {
    const { target, phone, factorId } = await alice();
    const jar = await full(target, "alice", phone);
    await jar.enroll();
    await trusted(target, "alice", phone);
    actions(target);
    const { devices } = (await jar.get("/2fa/settings")).body as { devices: { id: string }[] };
    await jar.post(`/2fa/factors/${factorId}/rename`, { label: "x" });
    await jar.post("/2fa/backup-codes");
    await jar.post(`/2fa/devices/${devices[0]!.id}/revoke`);
    await jar.post("/2fa/devices/revoke-all");
    await jar.post("/2fa/sessions/revoke-others");
    await jar.post(`/2fa/factors/${factorId}/remove`);
    await jar.post("/2fa/disable");
    const events = happened(target);
    expect(events.map(({ action }) => action)).toEqual([
      "factor-renamed",
      "backup-codes-regenerated",
      "device-revoked",
      "device-revoked",
      "sessions-revoked",
      "factor-removed",
      "factor-removed",
    ]);
    expect(events.every(({ outcome, actor, ip }) => outcome === "success" && actor === "u1" && ip !== undefined)).toBe(
      true,
    );
    expect(events[0]).toMatchObject({ method: "totp", factorId });
    expect(events.at(-1)).toMatchObject({ reason: "disabled" });
  });

  test("a resync", async () => {
    const { target, phone, factorId } = await alice();
    const jar = await full(target, "alice", phone);
    actions(target);
    const at = target.clock() + 10 * MINUTE;
    await jar.post("/2fa/totp/resync", { factorId, codes: [phone.code(at), phone.code(at + STEP)] });
    expect(happened(target)).toMatchObject([{ action: "factor-resynced", method: "totp", factorId }]);
  });

  test("a copied trusted browser", async () => {
    const { target, phone } = await alice();
    const jar = await trusted(target, "alice", phone);
    const copy = copyOf(jar, [deviceCookie(jar)[0]]);
    await jar.post("/logout");
    await jar.login("alice");
    target.clock.advance(MINUTE);
    actions(target);
    await copy.login("alice");
    expect(actions(target)).toEqual(["device-replayed", "challenge-issued"]);
  });

  test("a wrong code of an enrollment, and of a resync", async () => {
    const { target, phone, factorId } = await alice();
    const jar = await full(target, "alice", phone);
    const { factorId: begun } = (await jar.post("/2fa/totp/enroll")).body;
    actions(target);
    await jar.post("/2fa/totp/enroll/confirm", { factorId: begun, code: "000000" });
    await jar.post("/2fa/totp/resync", { factorId, codes: ["000000", "000001"] });
    expect(happened(target)).toMatchObject([
      { action: "factor-failed", outcome: "failure", method: "totp" },
      { action: "factor-failed", outcome: "failure", method: "totp" },
    ]);
  });

  test("reading tells nothing", async () => {
    const { target, phone } = await alice();
    const jar = await full(target, "alice", phone);
    actions(target);
    for (const path of ["/2fa", "/2fa/settings", "/account"]) await jar.get(path);
    expect(actions(target)).toEqual([]);
  });
});

describe("an event", () => {
  async function failed(headers: Record<string, string>): Promise<AuditEvent> {
    const { target } = await alice();
    const jar = await pending(target, "alice");
    actions(target);
    await jar.verify("000000").set(headers);
    const [event] = happened(target);
    return event!;
  }

  test("says when, by the application's clock, what, who, where from and how it came out", async () => {
    const { target, phone, factorId } = await alice();
    target.clock.set(Date.UTC(2031, 0, 2, 3, 4, 5, 678));
    const jar = await pending(target, "alice");
    actions(target);
    await jar.verify(phone.code(target.clock())).set({ "User-Agent": "curl/8", "X-Request-Id": "req-17" });
    expect(happened(target)).toEqual([
      {
        time: "2031-01-02T03:04:05.678Z",
        action: "factor-verified",
        outcome: "success",
        userId: "u1",
        actor: "u1",
        method: "totp",
        factorId,
        ip: expect.stringMatching(/127\.0\.0\.1$/),
        userAgent: "curl/8",
        requestId: "req-17",
      },
    ]);
  });

  test("has no members that say nothing", async () => {
    const event = await failed({ "User-Agent": "" });
    expect(Object.values(event).filter((value) => value === undefined || value === "")).toEqual([]);
    expect(event).not.toHaveProperty("userAgent");
    expect(event).not.toHaveProperty("requestId");
  });

  test("cannot be changed by who hears it", async () => {
    expect(Object.isFrozen(await failed({}))).toBe(true);
  });

  test("has a user agent of 255 characters at most", async () => {
    const event = await failed({ "User-Agent": "a".repeat(2000), "X-Request-Id": "b".repeat(2000) });
    expect([event.userAgent, event.requestId]).toEqual(["a".repeat(255), "b".repeat(255)]);
  });

  test("has a user agent without control and invisible characters", async () => {
    const target = testApp();
    const client = { userAgent: "Fire\r\nfox\u0000\u001b[31m \u202Eevil\u2028\u200B end" };
    await target.mfa.accounts.verify("u1", { method: "totp", code: "000000", client });
    expect(happened(target)[0]!.userAgent).toBe("Fire fox [31m  evil  end");
  });

  test("has a user agent of whole characters", async () => {
    const target = testApp();
    const client = { userAgent: "\u{1F600}".repeat(300) };
    await target.mfa.accounts.verify("u1", { method: "totp", code: "000000", client });
    expect(happened(target)[0]!.userAgent).toBe("\u{1F600}".repeat(255));
  });

  test("holds no code and no secret", async () => {
    const { target, phone, backupCodes } = await alice();
    const jar = await pending(target, "alice");
    const code = phone.code(target.clock());
    await jar.verify("918273");
    await jar.verify(code, { trustDevice: true });
    await (await pending(target, "alice")).post("/2fa/backup-code", { code: backupCodes[0]! });
    const text = JSON.stringify(target.events);
    const [, token] = deviceCookie(jar);
    for (const secret of ["918273", code, backupCodes[0]!, phone.secret, token]) expect(text).not.toContain(secret);
  });
});

describe("who listens", () => {
  async function once(target: TestApp): Promise<void> {
    await target.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
  }

  test("hears the same on the diagnostics channel", async () => {
    const heard: unknown[] = [];
    const listen = (event: unknown): void => void heard.push(event);
    subscribe("express-second-factor", listen);
    try {
      const target = testApp();
      await once(target);
      expect(heard).toEqual(target.events);
    } finally {
      unsubscribe("express-second-factor", listen);
    }
  });

  test("may do so once, and may stop", async () => {
    const target = testApp();
    let heard = 0;
    const listen = (): void => void (heard += 1);
    target.mfa.events.once("audit", listen);
    await once(target);
    await once(target);
    expect(heard).toBe(1);
    target.mfa.events.on("audit", listen);
    target.mfa.events.off("audit", listen);
    await once(target);
    expect(heard).toBe(1);
  });

  test("and throws is warned of, and disturbs neither the answer nor the others", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { target, phone } = await alice();
    const heard: string[] = [];
    target.mfa.events.on("audit", () => {
      throw new Error("the log is full");
    });
    target.mfa.events.on("audit", ({ action }) => void heard.push(action));
    const jar = await full(target, "alice", phone);
    expect(await jar.isIn()).toBe(true);
    expect(heard).toEqual(["challenge-issued", "factor-verified"]);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("the log is full"),
      expect.objectContaining({ code: "SECOND_FACTOR_LISTENER" }),
    );
    warn.mockRestore();
  });

  test("and rejects, being async, is warned of as well and never ends the process", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const target = testApp();
    let asked = false;
    // What an async function answers that fails; a promise would end this very process where nobody waits for it.
    const rejected = {
      then(_resolve: unknown, reject?: (error: Error) => void) {
        asked = true;
        reject?.(new Error("the log is away"));
      },
    };
    target.mfa.events.on("audit", () => rejected as unknown as undefined);
    await once(target);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(true);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("the log is away"), expect.anything());
    warn.mockRestore();
  });
});

describe("toOwasp", () => {
  const event = (action: AuditAction): AuditEvent => ({
    time: "2026-11-21T12:00:00.000Z",
    action,
    outcome: "success",
    userId: "u1",
    actor: "u1",
  });

  test.each<[AuditAction, string, string]>([
    ["factor-verified", "authn_login_success", "INFO"],
    ["backup-code-used", "authn_login_success", "INFO"],
    ["factor-failed", "authn_login_fail", "WARN"],
    ["locked", "authn_login_fail_max", "WARN"],
    ["attempt-refused", "excess_rate_limit_exceeded", "WARN"],
    ["factor-disabled", "authn_login_lock", "WARN"],
    ["factor-enrolled", "authn_token_created", "INFO"],
    ["factor-imported", "authn_token_created", "INFO"],
    ["backup-codes-regenerated", "authn_token_created", "INFO"],
    ["device-trusted", "authn_token_created", "INFO"],
    ["factor-removed", "authn_token_revoked", "WARN"],
    ["device-revoked", "authn_token_revoked", "INFO"],
    ["device-replayed", "authn_token_reuse", "CRITICAL"],
  ])("names %s %s, at %s, with the user", (action, name, level) => {
    expect(toOwasp(event(action))).toEqual({ event: `${name}:u1`, level });
  });

  test("leaves the user out where nobody is known", () => {
    const nobody: AuditEvent = { time: "2026-11-21T12:00:00.000Z", action: "factor-failed", outcome: "failure" };
    expect(toOwasp(nobody)).toEqual({ event: "authn_login_fail", level: "WARN" });
  });

  test.each<AuditAction>(["would-block", "factor-renamed", "notice-failed"])("has no name for %s", (action) => {
    expect(toOwasp(event(action))).toBeUndefined();
  });
});

describe("two applications in one process", () => {
  test("hear each of their own only", async () => {
    const [one, other] = [testApp(), testApp()];
    await new Jar(one).login("alice");
    await one.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
    expect([one.events.length, other.events.length]).toEqual([1, 0]);
  });
});
