import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { storedAccount } from "../support/attack.js";
import { enrolled } from "../support/browser.js";

type Call = readonly [name: string, given: readonly unknown[], says: RegExp];

const ACTED = ["removeFactor", "reset", "regenerateBackupCodes", "revokeDevices", "signOutEverywhere", "reopenFactors"];
const before = (name: string): unknown[] => (name === "removeFactor" ? ["factor"] : []);

const CALLS: readonly Call[] = [
  ["importTotp", [{}], /^mfa\.accounts\.importTotp: secret: must be text that is not empty, and is undefined$/],
  ["importTotp", [], /options: must be an object, and is undefined/],
  ["importTotp", [null], /options: must be an object, and is null/],
  ["importTotp", ["JBSWY3DPEHPK3PXP"], /options: must be an object, and is text/],
  ["importTotp", [{ secret: 7 }], /secret: must be text that is not empty, and is a number/],
  ["importTotp", [{ secret: "" }], /secret: .* empty text/],
  ["importTotp", [{ secret: "x", label: 7 }], /label: must be text, and is a number/],
  ["importTotp", [{ secret: "x", name: "Phone" }], /name: there is no such option; there are actor, secret, label/],
  ["verify", [], /options: must be an object/],
  ["verify", [{ code: "000000" }], /method: must be text/],
  ["verify", [{ method: ["totp"], code: "000000" }], /method: .* a list/],
  ["verify", [{ method: "totp", code: "000000", client: "127.0.0.1" }], /client: must be an object/],
  ...[5, null, ["192.0.2.1"], {}, true].map((ip): Call => [
    "verify",
    [{ method: "totp", code: "000000", client: { ip } }],
    /client\.ip: must be text, or undefined, and is /,
  ]),
  [
    "verify",
    [{ method: "totp", code: "000000", client: { userAgent: ["a"], requestId: 7 } }],
    /client\.userAgent: .* a list; client\.requestId: .* a number/,
  ],
  ...["status", "factors", "export"].flatMap((name): Call[] => [
    [name, [5], /options: must be an object, and is a number/],
    [name, [{ actr: "admin:42" }], /actr: there is no such option; there are actor/],
    [name, [{ actor: 42 }], /actor: must be text that is not empty, and is a number/],
  ]),
  ["removeFactor", [], /factorId: must be text/],
  ["removeFactor", [{ actor: "admin" }], /factorId: .* an object/],
  ["passwordChanged", [{ signOut: "false" }], /signOut: must be true or false, and is text/],
  ["passwordChanged", [{ reopen: 0 }], /reopen: must be true or false, and is a number/],
  ["erase", ["admin:42"], /options: must be an object, and is text/],
  ["erase", [{ actor: "" }], /actor: must be text that is not empty, and is empty text/],
  ["erase", [{ actor: " \u200b\u2800" }], /actor: must be text that is not empty/],
  ...ACTED.flatMap((name): Call[] => [
    [name, [...before(name), "admin:42"], /options: must be an object, and is text/],
    [name, [...before(name), null], /options: must be an object, and is null/],
    [name, [...before(name), ["admin:42"]], /options: must be an object, and is a list/],
    [name, [...before(name), { actor: 42 }], /actor: must be text that is not empty, and is a number/],
    [name, [...before(name), { actr: "admin:42" }], /actr: there is no such option; there are actor/],
  ]),
];

describe("arguments of mfa.accounts that nobody can mean", () => {
  test.each(CALLS)("%s with %j rejects with what is wrong, and changes nothing", async (name, given, says) => {
    const target = testApp();
    await enrolled(target, "alice");
    const stored = await storedAccount(target, "alice");
    const accounts = target.mfa.accounts as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    const refused = accounts[name]!("u1", ...given);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(says);
    expect(await storedAccount(target, "alice")).toBe(stored);
  });

  test("are named all at once", async () => {
    const { accounts } = testApp().mfa;
    const wrong = { actor: 7, secret: undefined, label: null } as unknown as { secret: string };
    await expect(accounts.importTotp(NaN as unknown as string, wrong)).rejects.toThrow(
      /user's id must be.*NaN; actor: .*; secret: .*; label: /,
    );
  });

  test("may be left out where nothing is needed, and the operations may be taken off their object", async () => {
    const { reset, signOutEverywhere, status } = testApp().mfa.accounts;
    expect(await reset("u1")).toBe(false);
    await signOutEverywhere("u1", undefined);
    expect((await status("u1")).enrolled).toBe(false);
  });

  test("may name who acts, and a client of whom little is known", async () => {
    const { accounts } = testApp().mfa;
    const reading = accounts as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
    for (const name of ["status", "factors", "export"]) await reading[name]!("u1", { actor: "admin:42" });
    const client = { ip: undefined, userAgent: "curl/8" };
    const given = { method: "totp", code: "000000", client };
    expect(await accounts.verify("u1", given)).toEqual({ ok: false, code: "invalid-code" });
  });

  test("that are a user's own typing have an answer", async () => {
    const { accounts } = testApp().mfa;
    for (const code of [undefined, null, 123456, ["123456"], {}, ""]) {
      const given = { method: "totp", code: code as string };
      expect(await accounts.verify("u1", given)).toEqual({ ok: false, code: "invalid-request" });
    }
  });
});
