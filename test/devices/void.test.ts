import { describe, expect, test } from "@jest/globals";
import { copyOf, deviceCookie, MINUTE, SESSION_COOKIE, STEP, trusted } from "../support/attack.js";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";

interface Given extends Enrolled {
  readonly target: TestApp;
  /** Of the same user, elsewhere, with both factors given. */
  readonly other: Jar;
}

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

/** What makes every trusted browser an ordinary one again. */
const ENDINGS: readonly [name: string, end: (given: Given) => Promise<unknown>][] = [
  ["a factor is added", ({ other }) => other.enroll()],
  ["a factor is imported", ({ target }) => target.mfa.accounts.importTotp("u1", { secret: SECRET })],
  [
    "one of two factors is removed",
    async ({ target, other, factorId }) => {
      await other.post(`/2fa/factors/${factorId}/remove`);
      expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
    },
  ],
  [
    "the application removes one of two factors",
    async ({ target, factorId }) => {
      expect(await target.mfa.accounts.removeFactor("u1", factorId)).toBe(true);
    },
  ],
  ["the password changed", ({ target }) => target.mfa.accounts.passwordChanged("u1")],
  [
    "the password changed and every login is ended",
    ({ target }) => target.mfa.accounts.passwordChanged("u1", { signOut: true }),
  ],
  ["the user is signed out everywhere", ({ target }) => target.mfa.accounts.signOutEverywhere("u1")],
  ["the user ends all other sessions", ({ other }) => other.post("/2fa/sessions/revoke-others")],
  ["the application revokes trust", ({ target }) => target.mfa.accounts.revokeDevices("u1")],
  [
    "the account is reset and enrolls anew",
    async ({ target }) => {
      await target.mfa.accounts.reset("u1");
      await enrolled(target, "alice");
    },
  ],
  [
    "the second factor is switched off and on again",
    async ({ target, other }) => {
      await other.post("/2fa/disable");
      await other.enroll();
      expect((await target.mfa.accounts.status("u1")).enrolled).toBe(true);
    },
  ],
  [
    "the record is erased and begun anew",
    async ({ target }) => {
      await target.mfa.accounts.erase("u1");
      await enrolled(target, "alice");
    },
  ],
];

/** Alice with two authenticators, a browser she trusts, logged in there by that trust, and a full login elsewhere. */
async function situation(): Promise<Given & { readonly jar: Jar }> {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  const other = await full(target, "alice", factor.phone);
  await other.enroll();
  const jar = await trusted(target, "alice", factor.phone);
  await jar.post("/logout");
  expect((await jar.login("alice")).status).toBe(302);
  return { ...factor, target, other, jar };
}

describe("a trusted browser is an ordinary one again when", () => {
  test.each(ENDINGS)("%s", async (_name, end) => {
    const { jar, ...given } = await situation();
    await end(given);
    given.target.clock.advance(STEP);
    expect(await jar.isIn()).toBe(false);
    const answer = await jar.login("alice");
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
    expect(await jar.isIn()).toBe(false);
  });
});

describe("trust outlives", () => {
  test.each<readonly [string, (given: Given) => Promise<unknown>]>([
    ["a rename", ({ other, factorId }) => other.post(`/2fa/factors/${factorId}/rename`, { label: "Phone" })],
    ["a login elsewhere", ({ target }) => pending(target, "alice")],
    ["an enrollment that is not proved", ({ other }) => other.post("/2fa/totp/enroll")],
    ["what happens to another user", ({ target }) => target.mfa.accounts.passwordChanged("u2")],
  ])("%s", async (_name, act) => {
    const { jar, ...given } = await situation();
    await act(given);
    expect(await jar.isIn()).toBe(true);
    await jar.post("/logout");
    expect((await jar.login("alice")).status).toBe(302);
  });
});

describe("trust that the settings do not give any more", () => {
  /** The application as it is started again, over what it kept. */
  function again({ clock, store, sessionStore }: TestApp, options: TestAppOptions["options"]): TestApp {
    return testApp({ clock, store, sessionStore, options: { ...options } });
  }

  async function trustedLogin() {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const owner = await trusted(target, "alice", phone);
    const byTrust = copyOf(owner, [deviceCookie(owner)[0]]);
    await byTrust.login("alice");
    expect((await byTrust.get("/")).body.status).toBe("trusted-device");
    return { target, owner, byTrust };
  }

  test.each([
    ["switched off", { trustedDevices: false }],
    ["left out by the strict preset", { preset: "strict" }],
    ["shorter than since the grant", { trustedDevices: { maxAge: "1h" } }],
  ] as const)("%s ends the sessions that rest on it, and those alone", async (_name, options) => {
    const { target, owner, byTrust } = await trustedLogin();
    target.clock.advance(61 * MINUTE);
    const now = again(target, options);
    const [session, device] = [copyOf(byTrust, [SESSION_COOKIE], now), copyOf(owner, [deviceCookie(owner)[0]], now)];
    expect((await session.get("/2fa")).status).toBe(410);
    expect(await session.isIn()).toBe(false);
    expect((await device.login("alice")).body.code).toBe("second-factor-required");
    expect(await copyOf(owner, [SESSION_COOKIE], now).isIn()).toBe(true);
  });

  test("longer than before holds as it was granted", async () => {
    const { target, byTrust } = await trustedLogin();
    const now = again(target, { trustedDevices: { maxAge: "60d" } });
    expect(await copyOf(byTrust, [SESSION_COOKIE], now).isIn()).toBe(true);
  });
});
