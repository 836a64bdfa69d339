// "This wasn't me", sentence by sentence: what it ends, freezes and suspends, and what it says.
import { describe, expect, test } from "@jest/globals";
import { backupCodes, type Compromise, passkeys, totp } from "express-second-factor";
import { holder } from "../passkeys/stage.js";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { cookies, copyOf, DAY, deviceCookie, passworded, storedAccount, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { loginIdOf, REPORT, reported, reportToken } from "../support/reports.js";

interface Here extends Enrolled {
  readonly target: TestApp;
}

async function alice(given: TestAppOptions = {}): Promise<Here> {
  const target = testApp(given);
  const own = await enrolled(target, "alice");
  target.clock.advance(1);
  return { target, ...own };
}

/** Somebody in alice's session has added an authenticator, and their jar. */
async function invaded({ phone, target }: Here) {
  const thief = copyOf(await full(target, "alice", phone));
  const added = await thief.enroll();
  return { thief, added, loginId: await loginIdOf(thief) };
}

describe("a report", () => {
  test("ends every session, and says how many and until when changes are frozen", async () => {
    const here = await alice();
    const [one, other] = [await full(here.target, "alice", here.phone), await full(here.target, "alice", here.phone)];
    const answer = await reported(here.target);
    const frozenUntil = new Date(here.target.clock() + DAY).toISOString();
    expect(answer.body).toEqual({ ended: 2, frozenUntil });
    expect([await one.isIn(), await other.isIn()]).toEqual([false, false]);
  });

  test("ends the reporter's own session too: there is none to be sure of", async () => {
    const { phone, target } = await alice();
    const jar = await full(target, "alice", phone);
    const answer = await jar.post(REPORT, { token: await reportToken(target) });
    expect([answer.status, answer.body.ended, await jar.isIn()]).toEqual([200, 1, false]);
  });

  test("leaves whoever is signed in to another account where they are", async () => {
    const { target } = await alice();
    const carol = await passworded(target, "JSON", "carol");
    await carol.get("/account");
    expect((await carol.post(REPORT, { token: await reportToken(target) })).status).toBe(200);
    expect(await carol.isIn()).toBe(true);
    expect(await target.mfa.accounts.status("u1")).toHaveProperty("frozenUntil");
    expect(await target.mfa.accounts.status("u3")).not.toHaveProperty("frozenUntil");
  });

  test("ends the trust in every browser", async () => {
    const { phone, target } = await alice();
    const jar = await trusted(target, "alice", phone);
    const copy = copyOf(jar, [deviceCookie(jar)[0]]);
    await reported(target);
    await copy.login("alice");
    expect(await copy.isIn()).toBe(false);
  });

  test("ends what waits for its second factor, and what is being set up", async () => {
    const { phone, target } = await alice();
    const waiting = await pending(target, "alice");
    const jar = await full(target, "alice", phone);
    const { factorId } = (await jar.post("/2fa/totp/enroll")).body as { factorId: string };
    await reported(target);
    expect((await waiting.verify(phone.code(target.clock()))).status).toBe(410);
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId, code: "000000" })).status).toBe(410);
    expect(JSON.parse((await storedAccount(target, "alice"))!).enrollments).toEqual([]);
  });

  test("ends sessions of logins that the account has never seen", async () => {
    const target = testApp();
    const jar = await passworded(target, "JSON", "alice");
    await jar.get("/account");
    const old = await reportToken(target, { number: 1, kind: "password-changed" });
    await reported(target, { number: 1, kind: "password-changed" });
    expect([await jar.isIn(), (await new Jar(target).post(REPORT, { token: old })).status]).toEqual([false, 410]);
  });

  test("is told: an audit event, an activity line with what it ended, and a notice", async () => {
    const notices: { kind: string }[] = [];
    const { phone, target } = await alice({ options: { notify: (notice) => void notices.push(notice) } });
    await full(target, "alice", phone);
    await reported(target, { kind: "factor-verified" });
    expect(target.events.at(-1)).toMatchObject({ action: "reported", reason: "factor-verified", userId: "u1" });
    const { activity } = await target.mfa.accounts.export("u1");
    expect(activity[0]).toMatchObject({
      action: "reported",
      ended: { sessions: 1, browsers: 0 },
      browser: expect.any(String),
    });
    expect(notices.map(({ kind }) => kind)).toContain("reported");
  });
});

describe("a report suspends", () => {
  test("the factor that it is about, without removing it", async () => {
    const here = await alice();
    const { added } = await invaded(here);
    await reported(here.target, { kind: "factor-enrolled", factorId: added.factorId });
    const [own, strange] = await here.target.mfa.accounts.factors("u1");
    expect([own?.suspended, strange?.suspended]).toEqual([undefined, true]);
    expect(strange?.id).toBe(added.factorId);
  });

  test("those that were added since, and none from before", async () => {
    const here = await alice();
    await full(here.target, "alice", here.phone);
    const token = await reportToken(here.target);
    here.target.clock.advance(1000);
    const { added } = await invaded(here);
    await new Jar(here.target).post(REPORT, { token });
    expect((await here.target.mfa.accounts.status("u1")).suspended).toEqual([added.factorId]);
  });

  test("those that the login set up which did it, however long before", async () => {
    const here = await alice();
    const { added, loginId, thief } = await invaded(here);
    here.target.clock.advance(60_000);
    await thief.post(`/2fa/factors/${here.factorId}/rename`, { label: "Old" });
    await reported(here.target, { kind: "factor-renamed", loginId });
    expect((await here.target.mfa.accounts.status("u1")).suspended).toEqual([added.factorId]);
  });

  test("backup codes that were made since, or by that login", async () => {
    for (const since of [true, false]) {
      const here = await alice();
      const jar = await full(here.target, "alice", here.phone);
      const token = since ? await reportToken(here.target) : undefined;
      here.target.clock.advance(1000);
      const { backupCodes } = (await jar.post("/2fa/backup-codes")).body as { backupCodes: string[] };
      here.target.clock.advance(1000);
      const loginId = await loginIdOf(jar);
      const late =
        token ?? (await reportToken(here.target, { kind: "factor-verified", at: here.target.clock(), loginId }));
      expect((await new Jar(here.target).post(REPORT, { token: late })).status).toBe(200);
      const login = await pending(here.target, "alice");
      expect((await login.get("/2fa")).body.methods.map(({ type }: { type: string }) => type)).toEqual(["totp"]);
      expect((await login.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(401);
      expect((await here.target.mfa.accounts.export("u1")).backupCodes).toMatchObject({ suspended: true });
    }
  });

  test("never the only one, not even where that is what it is about", async () => {
    const { factorId, phone, target } = await alice();
    await reported(target, { kind: "factor-enrolled", factorId });
    expect((await target.mfa.accounts.factors("u1"))[0]).not.toHaveProperty("suspended");
    const jar = await pending(target, "alice");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("never all of them: of those that came since the oldest stays", async () => {
    const target = testApp();
    const token = await reportToken(target, { number: 1, kind: "password-changed" });
    const jar = await passworded(target, "JSON", "alice");
    target.clock.advance(1000);
    const [first, second] = [await jar.enroll(), await jar.enroll()];
    await new Jar(target).post(REPORT, { token });
    const { suspended } = await target.mfa.accounts.status("u1");
    expect(suspended).toContain(second.factorId);
    expect(suspended).not.toContain(first.factorId);
  });

  test.each([
    ["stays, where it is of use", [passkeys(), totp()], []],
    ["goes, where it is of none either", [passkeys()], ["strange"]],
  ])("what is suspect beside what no method is left for: it %s", async (_what, methods, suspended) => {
    const all = testApp({ options: { methods: [passkeys(), totp(), backupCodes()] } });
    const own = await holder(all, "alice");
    all.clock.advance(1);
    const strange = await own.jar.enroll();
    // The owner's passkey is of a domain that the site has left.
    const options = { methods, origin: "https://acme.example" };
    const moved = testApp({ clock: all.clock, store: all.store, options });
    await reported(moved, { kind: "factor-enrolled", factorId: strange.factorId });
    const expected = suspended.map(() => strange.factorId);
    expect((await moved.mfa.accounts.status("u1")).suspended ?? []).toEqual(expected);
  });
});

describe("the application", () => {
  test("is told once, after it has taken effect, so that it can demand a new password", async () => {
    const told: [string, Compromise, boolean][] = [];
    let isIn: () => Promise<boolean> = () => Promise.resolve(true);
    const here = await alice({
      options: { onCompromise: async (userId, event) => void told.push([userId, event, await isIn()]) },
    });
    const { added, thief } = await invaded(here);
    isIn = () => thief.isIn();
    const about = { kind: "factor-enrolled", factorId: added.factorId };
    const token = await reportToken(here.target, about);
    const { at, number } = (await here.target.mfa.accounts.export("u1")).activity[0]!;
    await Promise.all(Array.from({ length: 3 }, () => new Jar(here.target).post(REPORT, { token })));
    const frozenUntil = new Date(here.target.clock() + DAY).toISOString();
    expect(told).toEqual([["u1", { ...about, at, number, suspended: [added.factorId], frozenUntil }, false]]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("The cable is cut");
      },
    ],
    ["rejects", () => Promise.reject(new Error("The cable is cut"))],
  ])("that %s undoes nothing: it is an error event, and the answer is the same", async (_how, onCompromise) => {
    const { phone, target } = await alice({ options: { onCompromise } });
    const jar = await full(target, "alice", phone);
    const answer = await reported(target);
    expect([answer.status, await jar.isIn()]).toEqual([200, false]);
    expect(target.errors).toMatchObject([
      { place: "onCompromise", error: { message: "The cable is cut" }, userId: "u1" },
    ]);
  });

  test("may only be told by a function", () => {
    expect(() => testApp({ options: { onCompromise: "mail" as never } })).toThrow(/onCompromise: must be a function/);
  });
});

describe("nothing secret", () => {
  test("of a link is in the store, an event, an error or a session", async () => {
    const here = await alice();
    const token = await reportToken(here.target);
    const jar = new Jar(here.target);
    const page = await jar.page(`${REPORT}?token=${token}`);
    const done = await jar.form(REPORT, { token });
    await jar.form(REPORT, { token });
    const kept = [await storedAccount(here.target, "alice"), here.target.events, here.target.errors, cookies(jar)];
    expect(JSON.stringify(kept)).not.toContain(token.slice(0, 40));
    expect(done.text).not.toContain(token);
    expect([page, done].map(({ headers }) => headers["referrer-policy"])).toEqual(["strict-origin", "strict-origin"]);
    expect(actions(here.target)).toContain("reported");
  });
});
