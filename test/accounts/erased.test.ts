// What is left of somebody who was erased is a mark that goes by itself, whoever still has a session, a cookie or a job about them.
import { describe, expect, test } from "@jest/globals";
import { copyOf, HOUR, storedAccount, trusted } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, type Jar, pending } from "../support/browser.js";

const MONTH = 30 * 24 * HOUR;

interface Erased {
  readonly target: TestApp;
  /** Of logins from before, each with what it held. */
  readonly complete: Jar;
  readonly waiting: Jar;
  readonly trusting: Jar;
  readonly code: () => string;
}

async function erased(): Promise<Erased> {
  const target = testApp();
  const { phone } = await enrolled(target, "alice");
  const trusting = await trusted(target, "alice", phone);
  const complete = await full(target, "alice", phone);
  const waiting = await pending(target, "alice");
  expect(await target.mfa.accounts.erase("u1")).toBe(true);
  return { target, complete, waiting, trusting, code: () => phone.code(target.clock()) };
}

const LATE: readonly (readonly [says: string, act: (here: Erased) => Promise<unknown>])[] = [
  ["logs out of a complete login", ({ complete }) => complete.post("/logout")],
  ["logs out of one that waits", ({ waiting }) => waiting.post("/logout")],
  ["turns away from the challenge", ({ waiting }) => waiting.post("/2fa/cancel")],
  ["proves a factor there was", ({ code, waiting }) => waiting.verify(code())],
  ["guesses", ({ waiting }) => waiting.verify("000000")],
  ["changes settings", ({ complete }) => complete.post("/2fa/sessions/revoke-others")],
  ["begins to set something up", ({ complete }) => complete.post("/2fa/totp/enroll")],
  ["asks for a passkey", ({ complete }) => complete.post("/2fa/passkey/enroll/options")],
  [
    "signs in anew with the cookie of a trusted browser, and out again",
    async ({ trusting }) => {
      const copy = copyOf(trusting);
      await copy.login("alice");
      await copy.post("/logout");
    },
  ],
  ["is looked up", ({ complete }) => complete.get("/2fa/settings")],
  ["has the password changed", ({ target }) => target.mfa.accounts.passwordChanged("u1")],
  ["has it changed and is signed out", ({ target }) => target.mfa.accounts.passwordChanged("u1", { signOut: true })],
  ["is signed out everywhere", ({ target }) => target.mfa.accounts.signOutEverywhere("u1")],
  ["is reset", ({ target }) => target.mfa.accounts.reset("u1")],
  ["has a code verified", ({ target }) => target.mfa.accounts.verify("u1", { method: "totp", code: "000000" })],
];

describe("the mark of an erased account goes after thirty days, whoever", () => {
  test.each(LATE)("%s", async (_says, act) => {
    const here = await erased();
    const { clock, mfa } = here.target;
    await act(here);
    expect(await mfa.accounts.export("u1")).toMatchObject({ factors: [], devices: [], sessions: [], activity: [] });
    expect(await mfa.accounts.erase("u1")).toBe(false);
    clock.advance(MONTH);
    expect(await storedAccount(here.target, "alice")).toBeUndefined();
  });
});

test("sessions that are ended anew after an erase stay ended for as long as they can last", async () => {
  const target = testApp();
  await enrolled(target, "alice");
  await target.mfa.accounts.erase("u1");
  const jar = await pending(target, "alice");
  expect(await jar.isIn()).toBe(true);
  const copy = copyOf(jar);
  target.clock.advance(MONTH - HOUR);
  await target.mfa.accounts.signOutEverywhere("u1");
  target.clock.advance(2 * HOUR);
  expect(await copy.isIn()).toBe(false);
});
