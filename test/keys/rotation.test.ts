import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import { memoryStore, type RotationReport, type Store } from "express-second-factor";
import { movableClock } from "express-second-factor/testing";
import { copyOf, storedAccount, trusted } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

const OLD = `2025-01:${randomBytes(32).toString("base64")}`;
const NEW = `2026-11:${randomBytes(32).toString("base64")}`;
const BOTH = `${NEW},${OLD}`;

/** The application started with these keys, over what the one before left. */
function started(keys: string, before?: TestApp): TestApp {
  const { clock = movableClock(), store = memoryStore() } = before ?? {};
  return testApp({ clock, store, options: { keys } });
}

/** Ids of the keys that sealed anything in a user's record. */
async function keysOf(target: TestApp, name: string): Promise<string[]> {
  const sealed = ((await storedAccount(target, name)) ?? "").matchAll(/"(2025-01|2026-11)\./g);
  return [...new Set([...sealed].map(([, id]) => id!))].toSorted();
}

describe("a ring with a new key in front", () => {
  test("lets everybody in as before: codes, backup codes and trusted browsers", async () => {
    const before = started(OLD);
    const { phone, backupCodes } = await enrolled(before, "alice");
    const jar = await trusted(before, "alice", phone);
    const after = started(BOTH, before);
    const browser = new Jar(after);
    browser.agent.jar = jar.agent.jar;
    await browser.login("alice");
    expect((await browser.get("/")).body.status).toBe("trusted-device");
    const other = await pending(after, "alice");
    expect((await other.verify(phone.code(after.clock()))).status).toBe(200);
    const third = await pending(after, "alice");
    expect((await third.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
  });

  test("seals what is used anew, and leaves the rest for later", async () => {
    const before = started(OLD);
    const { phone, backupCodes } = await enrolled(before, "alice");
    const after = started(BOTH, before);
    expect(await keysOf(after, "alice")).toEqual(["2025-01"]);
    await full(after, "alice", phone);
    expect(await keysOf(after, "alice")).toEqual(["2025-01", "2026-11"]);
    const jar = await pending(after, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0] });
    expect(await keysOf(after, "alice")).toEqual(["2026-11"]);
  });

  test("seals a trusted browser's key anew when it comes back", async () => {
    const before = started(OLD);
    const { phone, backupCodes } = await enrolled(before, "alice");
    const jar = await trusted(before, "alice", phone);
    const after = started(BOTH, before);
    await full(after, "alice", phone);
    await (await pending(after, "alice")).post("/2fa/backup-code", { code: backupCodes[0] });
    expect(await keysOf(after, "alice")).toEqual(["2025-01", "2026-11"]);
    const browser = new Jar(after);
    browser.agent.jar = jar.agent.jar;
    await browser.login("alice");
    expect(await keysOf(after, "alice")).toEqual(["2026-11"]);
  });
});

/** Three users with everything that is sealed, under the old key. */
async function populated(): Promise<{ target: TestApp; give: (after: TestApp) => Promise<void> }> {
  const target = started(OLD);
  const [alice, carol] = [await enrolled(target, "alice"), await enrolled(target, "carol")];
  const jar = await trusted(target, "alice", alice.phone);
  const dave = new Jar(target);
  await dave.login("dave");
  const begun = await dave.post("/2fa/totp/enroll");
  expect(begun.status).toBe(201);
  return {
    target,
    async give(after) {
      const browser = new Jar(after);
      browser.agent.jar = jar.agent.jar;
      await browser.login("alice");
      expect((await browser.get("/")).body.status).toBe("trusted-device");
      const other = await full(after, "alice", alice.phone);
      expect(await other.isIn()).toBe(true);
      const third = await pending(after, "carol");
      expect((await third.post("/2fa/backup-code", { code: carol.backupCodes[9] })).body.remaining).toBe(9);
    },
  };
}

describe("mfa.rotateKeys", () => {
  test("seals everything with the newest key: the old one can go, and everybody still gets in", async () => {
    const { target, give } = await populated();
    const rotating = started(BOTH, target);
    expect(await rotating.mfa.rotateKeys()).toEqual({ accounts: 3, rotated: 3, left: {}, unreadable: 0 });
    for (const name of ["alice", "carol", "dave"]) expect(await keysOf(rotating, name)).toEqual(["2026-11"]);
    const after = started(NEW, rotating);
    await after.mfa.ready();
    await give(after);
  });

  test("may be run again, and finds nothing left to do", async () => {
    const { target } = await populated();
    const rotating = started(BOTH, target);
    await rotating.mfa.rotateKeys();
    expect(await rotating.mfa.rotateKeys()).toMatchObject({ accounts: 3, rotated: 0 });
  });

  test("goes on after an interruption where it was", async () => {
    const { target, give } = await populated();
    for (let index = 0; index < 60; index += 1) {
      await target.mfa.accounts.importTotp(`other-${index}`, { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" });
    }
    const rotating = started(BOTH, target);
    const stop = (report: RotationReport): void => {
      if (report.accounts > 30) throw new Error("the operator pressed Ctrl-C");
    };
    await expect(rotating.mfa.rotateKeys({ onProgress: stop })).rejects.toThrow("the operator pressed Ctrl-C");
    // The samples of both keys are still there: the old one must not leave yet.
    await expect(started(NEW, rotating).mfa.ready()).rejects.toThrow(/2025-01/);
    const seen: RotationReport[] = [];
    const report = await rotating.mfa.rotateKeys({ onProgress: (each) => void seen.push(each) });
    expect(report.accounts).toBe(63);
    expect(report.rotated).toBeGreaterThan(0);
    expect(report.rotated).toBeLessThan(63);
    expect(seen.map(({ accounts }) => accounts)).toEqual([25, 50, 63]);
    expect(seen.at(-1)).toEqual(report);
    await give(started(NEW, rotating));
  });

  test("reports by key what it could not open, and keeps on asking for that key", async () => {
    const { target, give } = await populated();
    const without = started(NEW, target);
    expect(await without.mfa.rotateKeys()).toEqual({ accounts: 3, rotated: 0, left: { "2025-01": 3 }, unreadable: 0 });
    await expect(without.mfa.ready()).rejects.toThrow(/2025-01/);
    await give(started(BOTH, target));
  });

  test("steps over a damaged record and says that there is one", async () => {
    const { target } = await populated();
    const { version } = (await target.store.read("account:u1"))!;
    await target.store.write("account:u1", "{}", { expect: version });
    const rotating = started(BOTH, target);
    expect(await rotating.mfa.rotateKeys()).toEqual({ accounts: 3, rotated: 2, left: {}, unreadable: 1 });
    await expect(started(NEW, rotating).mfa.ready()).rejects.toThrow(/2025-01/);
  });

  test("loses nothing to logins that run beside it", async () => {
    const { target, give } = await populated();
    const rotating = started(BOTH, target);
    const [report] = await Promise.all([
      rotating.mfa.rotateKeys(),
      ...Array.from({ length: 20 }, () => rotating.mfa.accounts.verify("u1", { method: "totp", code: "000000" })),
    ]);
    expect(report).toMatchObject({ rotated: 3, left: {} });
    const { factors } = JSON.parse((await storedAccount(rotating, "alice"))!) as { factors: object[] };
    expect(factors).toContainEqual(expect.objectContaining({ type: "totp", failures: 5 }));
    rotating.clock.advance(15 * 60_000);
    await give(started(NEW, rotating));
  });

  test("tells the developer what store and keys must be able to do", async () => {
    const { list: _none, ...store } = bare(memoryStore());
    const keys = {
      encrypt: async () => "sealed",
      decrypt: async () => new Uint8Array(),
      mac: async () => "digest",
    };
    const target = testApp({ store, options: { keys } });
    await expect(target.mfa.rotateKeys()).rejects.toThrow(/list\(\)[^]*keyId\(\)/);
  });
});

function bare(inner: Store): Store {
  return {
    read: (key) => inner.read(key),
    write: (key, value, options) => inner.write(key, value, options),
    remove: (key, options) => inner.remove(key, options),
  };
}

describe("mfa.ready", () => {
  test("resolves over an empty store, and over what its own keys sealed", async () => {
    const target = started(OLD);
    await target.mfa.ready();
    await enrolled(target, "alice");
    await started(OLD, target).mfa.ready();
    await started(BOTH, target).mfa.ready();
  });

  test("refuses a ring without a key that something is sealed with, and names it", async () => {
    const target = started(OLD);
    await enrolled(target, "alice");
    const starting = started(NEW, target).mfa.ready();
    await expect(starting).rejects.toMatchObject({ name: "ConfigurationError" });
    await expect(starting).rejects.toThrow(/^[^]*keys: .*"2025-01"/);
  });

  test("refuses another key under the same id", async () => {
    const target = started(OLD);
    await enrolled(target, "alice");
    const impostor = `2025-01:${randomBytes(32).toString("base64")}`;
    await expect(started(impostor, target).mfa.ready()).rejects.toThrow(/2025-01/);
  });

  test("never repeats a key", async () => {
    const target = started(OLD);
    await enrolled(target, "alice");
    const problem = (await started(NEW, target)
      .mfa.ready()
      .catch((error: unknown) => error)) as Error;
    for (const key of [OLD, NEW]) expect(String(problem)).not.toContain(key.slice(key.indexOf(":") + 1));
  });

  test("leaves a sample of each key once, however many processes start at the same time", async () => {
    const target = started(BOTH);
    const processes = Array.from({ length: 12 }, () => started(BOTH, target));
    await Promise.all(processes.map(({ mfa }) => mfa.ready()));
    expect(JSON.parse((await target.store.read("keys"))!.value)).toHaveLength(1);
  });
});

test("what a route asked to have confirmed before a rotation is asked again after it, and nobody's pages fail meanwhile", async () => {
  const sessionStore = new session.MemoryStore();
  const paying = (keys: string, from?: TestApp): TestApp =>
    testApp({
      clock: from?.clock ?? movableClock(),
      store: from?.store ?? memoryStore(),
      sessionStore,
      options: { keys },
      routes: (app, mfa) =>
        void app.post("/pay", mfa.require({ bind: () => "Pay 1 to Ann" }), (_req, res) => void res.json({ paid: 1 })),
    });
  const before = paying(OLD);
  const { phone } = await enrolled(before, "alice");
  const jar = await full(before, "alice", phone);
  expect((await jar.post("/pay")).status).toBe(401);
  await paying(BOTH, before).mfa.rotateKeys();
  const after = copyOf(jar, undefined, paying(NEW, before));
  for (const path of ["/2fa?confirm", "/2fa/settings", "/account"]) {
    expect([path, (await after.get(path)).status, (await after.page(path)).status]).toEqual([path, 200, 200]);
  }
  expect((await after.form("/2fa/totp", { code: "000000" })).status).toBe(401);
  await after.verify(phone.code(before.clock()));
  // What could not be shown was confirmed by nobody.
  expect((await after.post("/pay")).status).toBe(401);
});
