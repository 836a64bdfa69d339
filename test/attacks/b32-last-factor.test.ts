import { describe, expect, test } from "@jest/globals";
import type { RiskVerdict } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";
import { DAY, expectDenied, MODES, passworded, send, storedAccount, storedFactors } from "../support/attack.js";
import { alice as withRecovery, completed } from "../support/recovery.js";
import { passed } from "../help-desk/stage.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

/** Alice, who must have a factor, has two. */
async function withTwo(
  target: TestApp,
): Promise<{ readonly jar: Jar; readonly first: Enrolled; readonly second: Enrolled }> {
  const first = await enrolled(target, "alice");
  const jar = await full(target, "alice", first.phone);
  return { jar, first, second: await jar.enroll() };
}

function required(): TestApp {
  return testApp({ options: { policy: "required" } });
}

describe("B32 the last factor removed where one is demanded", () => {
  test.each(MODES)("B32 all but the last can go, the last stays (%s)", async (mode) => {
    const target = required();
    const { jar, first, second } = await withTwo(target);
    const gone = await send(jar, mode, `/2fa/factors/${first.factorId}/remove`);
    expect([204, 303]).toContain(gone.status);
    const before = await storedAccount(target, "alice");
    for (const path of [`/2fa/factors/${second.factorId}/remove`, "/2fa/disable"]) {
      const answer = await send(jar, mode, path);
      expect([path, answer.status]).toEqual([path, 409]);
      if (mode === "JSON") expect([path, answer.body.code]).toEqual([path, "last-factor"]);
    }
    expect(await storedAccount(target, "alice")).toBe(before);
    expect(await jar.isIn()).toBe(true);
    const next = await passworded(target, mode, "alice");
    expect(await next.isIn()).toBe(false);
    expect((await next.verify(second.phone.code(target.clock()))).status).toBe(200);
  });

  test("B32 backup codes do not count as a factor that is left", async () => {
    const target = required();
    const { phone, factorId, backupCodes } = await enrolled(target, "alice");
    expect(backupCodes.length).toBe(10);
    const jar = await full(target, "alice", phone);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).body.code).toBe("last-factor");
  });

  test("B32 both factors removed in the same moment, thirty times over: one stays", async () => {
    const target = required();
    const { jar, first, second } = await withTwo(target);
    const ids = [first.factorId, second.factorId];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_none, index) => jar.post(`/2fa/factors/${ids[index % 2]!}/remove`)),
    );
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
  });

  test("B32 an administrator may remove it: the user is locked into setting one up", async () => {
    const target = required();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await target.mfa.accounts.reset("u1", { actor: "admin:1" });
    await expectDenied(jar);
    const next = new Jar(target);
    const login = await next.login("alice");
    expect([login.status, login.body.code]).toEqual([403, "enrollment-required"]);
    await expectDenied(next);
    await next.enroll();
    expect(await next.isIn()).toBe(true);
  });

  test("B32 a demand made after the factors went closes the login that switched them off", async () => {
    let demanded = false;
    const target = testApp({ options: { policy: () => (demanded ? "required" : "optional") } });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/disable")).status).toBe(204);
    expect(await jar.isIn()).toBe(true);
    demanded = true;
    const answer = await jar.get("/account");
    expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
    await expectDenied(jar);
  });

  test("B32 in grace it may go; once that is over it stays, and grace does not begin anew for whoever removed one", async () => {
    const target = testApp({ options: { policy: { require: true, grace: "14d" } } });
    const until = target.clock() + 14 * DAY;
    await new Jar(target).login("alice");
    const { factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    target.clock.set(until);
    await expectDenied(jar);
    const next = new Jar(target);
    expect((await next.login("alice")).body.code).toBe("enrollment-required");
    const second = await next.enroll();
    for (const path of [`/2fa/factors/${second.factorId}/remove`, "/2fa/disable"])
      expect((await next.post(path)).body.code).toBe("last-factor");
  });

  test("B32 it stays where grace never began, and in a login that was challenged", async () => {
    let verdict: RiskVerdict = "allow";
    const target = testApp({ options: { policy: { evaluate: () => verdict } } });
    const { phone } = await enrolled(target, "alice");
    verdict = "challenge";
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/disable")).body.code).toBe("last-factor");
    const graced = testApp({ options: { policy: { require: (user) => user.name === "alice", grace: "14d" } } });
    await graced.mfa.accounts.importTotp("u1", { secret: SECRET });
    const own = await full(graced, "alice", authenticatorApp(`otpauth://totp/Acme?secret=${SECRET}`));
    expect((await own.post("/2fa/disable")).body.code).toBe("last-factor");
  });

  test("B32 neither a pass nor a recovery takes the last one away, and none is left without one", async () => {
    const here = await withRecovery({ options: { policy: "required" } });
    const byPass = await passed(here.target);
    const back = await completed(here);
    const before = await storedFactors(here.target, "alice");
    for (const jar of [byPass, back]) {
      for (const path of [`/2fa/factors/${here.factorId}/remove`, "/2fa/disable"])
        expect([401, 403, 410]).toContain((await jar.post(path)).status);
    }
    expect(await storedFactors(here.target, "alice")).toEqual(before);
    const { factorId } = await back.enroll();
    for (const path of [`/2fa/factors/${factorId}/remove`, "/2fa/disable"])
      expect([403, 409]).toContain((await back.post(path)).status);
    expect((await here.target.mfa.accounts.factors("u1")).map(({ id }) => id)).toEqual([factorId]);
  });
});
