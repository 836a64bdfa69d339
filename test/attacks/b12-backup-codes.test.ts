import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { ask, expectDenied, harmless, MODES, passworded, send, twoServers } from "../support/attack.js";
import { enrolled, full } from "../support/browser.js";

/** Ways to write one code that mean the same. */
const VARIANTS: Record<string, (code: string) => string> = {
  "as it was": (code) => code,
  "in lower case": (code) => code.toLowerCase(),
  "without hyphens": (code) => code.replaceAll("-", ""),
  "with spaces": (code) => code.replaceAll("-", " "),
  "with a space around it": (code) => ` ${code}\t`,
  "hyphens everywhere": (code) => Array.from(code.replaceAll("-", "")).join("-"),
  "with look-alikes": (code) => code.replaceAll("0", "O").replaceAll("1", "l"),
};

async function remaining(target: ReturnType<typeof testApp>): Promise<number> {
  return (await target.mfa.accounts.status("u1")).backupCodesRemaining;
}

describe("backup codes", () => {
  describe.each(MODES)("as a client of %s", (mode) => {
    test.each(Object.keys(VARIANTS))("B12 a used backup code is refused, written %s", async (variant) => {
      const [one, two] = twoServers();
      const { backupCodes } = await enrolled(one, "alice");
      const [code = ""] = backupCodes;
      const first = await passworded(one, mode, "alice");
      await send(first, mode, "/2fa/backup-code", { code: VARIANTS[variant]!(code) });
      expect(await first.isIn()).toBe(true);
      for (const server of [one, two]) {
        const second = await passworded(server, mode, "alice");
        expect((await send(second, mode, "/2fa/backup-code", { code: VARIANTS[variant]!(code) })).status).toBe(401);
        expect((await send(second, mode, "/2fa/backup-code", { code })).status).toBe(401);
        await expectDenied(second);
      }
      expect(await remaining(one)).toBe(9);
    });

    test("B12 a code of a set that was replaced is refused, used or not", async () => {
      const target = testApp();
      const { phone, backupCodes } = await enrolled(target, "alice");
      const owner = await full(target, "alice", phone);
      const fresh = (await owner.post("/2fa/backup-codes")).body as { backupCodes: string[] };
      expect(fresh.backupCodes).toHaveLength(10);
      for (const code of backupCodes.slice(0, 3)) {
        const jar = await passworded(target, mode, "alice");
        expect((await send(jar, mode, "/2fa/backup-code", { code })).status).toBe(401);
        await expectDenied(jar);
      }
      expect(await remaining(target)).toBe(10);
    });

    test("B12 another user's backup code is refused and not used up", async () => {
      const target = testApp();
      await enrolled(target, "alice");
      const { backupCodes } = await enrolled(target, "mallory");
      const jar = await passworded(target, mode, "alice");
      expect((await send(jar, mode, "/2fa/backup-code", { code: backupCodes[0] })).status).toBe(401);
      await expectDenied(jar);
      const mallory = await passworded(target, mode, "mallory");
      await send(mallory, mode, "/2fa/backup-code", { code: backupCodes[0] });
      expect(await mallory.isIn()).toBe(true);
    });
  });

  test("B12 a backup code used for a step-up is used up", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const owner = await full(target, "alice", phone);
    expect((await owner.post("/2fa/backup-code", { code: backupCodes[0] })).body).toMatchObject({ remaining: 9 });
    const jar = await passworded(target, "JSON", "alice");
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(401);
    await expectDenied(jar);
  });

  test("B12 one stolen backup code does not become ten", async () => {
    const target = testApp();
    const { backupCodes } = await enrolled(target, "alice");
    const thief = await passworded(target, "JSON", "alice");
    await thief.post("/2fa/backup-code", { code: backupCodes[0] });
    expect(await thief.isIn()).toBe(true);
    expect((await send(thief, "JSON", "/2fa/backup-codes")).status).toBe(401);
    expect(harmless(await ask(thief, "JSON", "/2fa/settings")).text).not.toContain(backupCodes[1]);
    expect(await remaining(target)).toBe(9);
  });
});
