import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { memoryStore } from "express-second-factor";
import { movableClock } from "express-second-factor/testing";
import { vaultKeys } from "../../example-app/vault-keys.js";
import { storedAccount } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { expectProblem } from "../support/problems.js";
import { startVault, type Vault } from "../support/vault.js";

let vault: Vault;

beforeEach(async () => {
  vault = await startVault();
});

afterEach(() => vault.close());

/** An application whose keys are in the vault; each has asked it nothing yet. */
function started(before?: TestApp): TestApp {
  const { clock = movableClock(), store = memoryStore() } = before ?? {};
  const { address, token } = vault;
  return testApp({ clock, store, options: { keys: vaultKeys({ address, token }) } });
}

describe("keys in a vault", () => {
  test("seal, open and digest everything the application needs", async () => {
    const target = started();
    await target.mfa.ready();
    const { phone, backupCodes } = await enrolled(target, "alice");
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    expect(await storedAccount(target, "alice")).toMatch(/"vault:v\d+:/);
  });

  test("open nothing for another user, though the vault itself would", async () => {
    const target = started();
    await enrolled(target, "alice");
    const { phone } = await enrolled(target, "mallory");
    const [victim, thief] = await Promise.all(["u1", "u2"].map((id) => target.store.read(`account:${id}`)));
    const account = JSON.parse(victim!.value) as { factors: unknown[] };
    account.factors = (JSON.parse(thief!.value) as typeof account).factors;
    await target.store.write("account:u1", JSON.stringify(account), { expect: victim!.version });
    const jar = await pending(target, "alice");
    expectProblem(await jar.verify(phone.code(target.clock())), "unavailable");
    expect(await jar.isIn()).toBe(false);
  });

  test("that are sealed refuse logins, and are whole again afterwards with no attempt lost", async () => {
    const target = started();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    vault.seal(true);
    await expect(started(target).mfa.ready()).rejects.toThrow();
    for (let attempt = 0; attempt < 6; attempt += 1) {
      expectProblem(await jar.verify(phone.code(target.clock())), "unavailable");
    }
    vault.seal(false);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("rotate: the vault makes a new version, accounts are sealed anew, and the old version can go", async () => {
    const target = started();
    const { phone, backupCodes } = await enrolled(target, "alice");
    await enrolled(target, "carol");
    vault.rotate();
    const rotating = started(target);
    await full(rotating, "alice", phone);
    expect(await storedAccount(rotating, "alice")).toMatch(/"vault:v2:/);
    expect(await rotating.mfa.rotateKeys()).toEqual({ accounts: 2, rotated: 2, left: {}, unreadable: 0 });
    vault.forgetBefore(2);
    const after = started(rotating);
    await after.mfa.ready();
    await full(after, "alice", phone);
    const jar = await pending(after, "alice");
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
  });

  test("that lost a version are named by ready()", async () => {
    const target = started();
    await enrolled(target, "alice");
    vault.rotate();
    vault.forgetBefore(2);
    await expect(started(target).mfa.ready()).rejects.toThrow(/the key "v1"/);
  });

  test("cost one call for each code that is checked", async () => {
    const target = started();
    const { phone } = await enrolled(target, "alice");
    await full(target, "alice", phone);
    const jar: Jar = await pending(target, "alice");
    const before = new Map(vault.calls);
    await jar.verify(phone.code(target.clock()));
    const made = [...vault.calls].map(([name, count]) => [name, count - (before.get(name) ?? 0)]);
    expect(Object.fromEntries(made.filter(([, count]) => count !== 0))).toEqual({ decrypt: 1 });
  });
});
