import { describe, expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { HOUR, MINUTE, NO_LIMITS, STEP, wrongCode } from "../support/attack.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { visibleText } from "../support/text.js";

const WRONG_BACKUP = "0000-0000-0000-0000";

interface Owner extends Enrolled {
  readonly target: TestApp;
  /** Alice, signed in before anything was closed. */
  readonly inside: Jar;
  readonly notices: readonly Notice[];
}

/** What limits are for is tested elsewhere: here fifty wrong answers fit into a minute. */
async function owner(given: TestAppOptions = {}): Promise<Owner> {
  const notices: Notice[] = [];
  const notify = (notice: Notice): void => void notices.push(notice);
  const target = testApp({ ...given, options: { limits: NO_LIMITS, notify, ...given.options } });
  const alice = await enrolled(target, "alice");
  const inside = await full(target, "alice", alice.phone);
  return { ...alice, target, inside, notices };
}

/** Fifty wrong answers, counted as those of logins that wait for theirs. */
async function guess({ target }: Owner, method: string, code: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    expect(await target.mfa.accounts.verify("u1", { method, code })).toEqual({ ok: false, code: "invalid-code" });
  }
}

async function closeApp(alice: Owner): Promise<void> {
  await guess(alice, "totp", wrongCode(alice.phone, alice.target.clock()));
}

async function closeBackupCodes(alice: Owner): Promise<void> {
  await guess(alice, "backup-code", WRONG_BACKUP);
}

function next({ phone, target }: Owner): string {
  target.clock.advance(STEP);
  return phone.code(target.clock());
}

describe("a login that waits for its proof, where the app is closed", () => {
  test("is told so, and what is left", async () => {
    const alice = await owner();
    await closeApp(alice);
    const waiting = await pending(alice.target, "alice");
    const { body } = await waiting.get("/2fa");
    expect(body.methods).toEqual([
      { type: "totp", factors: [{ id: alice.factorId, label: "Authenticator app", closed: true }] },
      { type: "backup-code", factors: [{ id: expect.any(String), label: "" }] },
    ]);
    expect(body.preferred).toBe("backup-code");
    const answer = await waiting.verify(next(alice));
    expect([answer.status, answer.body.code, answer.body.methods]).toEqual([429, "too-many-attempts", body.methods]);
    expect(answer.headers).not.toHaveProperty("retry-after");
  });

  test("sees the page of what is left first, which says what is closed", async () => {
    const alice = await owner();
    await closeApp(alice);
    const waiting = await pending(alice.target, "alice");
    const page = await waiting.page("/2fa");
    expect(page.text).toContain('action="/2fa/backup-code"');
    expect(visibleText(page.text)).toContain(
      "There were too many wrong codes, so this way is closed: “Authenticator app”.",
    );
    expect(page.text).not.toContain("?method=totp");
  });

  test.each([
    ["asked for", (jar: Jar) => jar.page("/2fa?method=totp"), 200],
    ["tried all the same", (jar: Jar) => jar.form("/2fa/totp", { code: "123456" }), 429],
  ])("sees no form for it where it is %s, and the way to what is left", async (_how, ask, status) => {
    const alice = await owner();
    await closeApp(alice);
    const page = await ask(await pending(alice.target, "alice"));
    expect(page.status).toBe(status);
    expect(visibleText(page.text)).toContain("this way is closed: “Authenticator app”");
    expect(page.text).not.toContain('action="/2fa/totp"');
    expect(page.text).toContain("?method=backup-code");
  });

  test("is told that nothing is left where all is closed, and whom to ask", async () => {
    const alice = await owner();
    await closeApp(alice);
    await closeBackupCodes(alice);
    const waiting = await pending(alice.target, "alice");
    expect((await waiting.get("/2fa")).body.preferred).toBeNull();
    const text = visibleText((await waiting.page("/2fa")).text);
    expect(text).toContain("these ways are closed: “Authenticator app” and “Backup code”");
    expect(text).toContain("Ask Acme for help");
  });

  test("may use another of its kind, whose form is there and names only that one", async () => {
    const alice = await owner();
    const { target } = alice;
    // A second app that the fifty wrong codes came before.
    await closeApp(alice);
    const second = await alice.inside.enroll();
    const waiting = await pending(target, "alice");
    const { methods, preferred } = (await waiting.get("/2fa")).body as {
      methods: { type: string; factors: { id: string; closed?: true }[] }[];
      preferred: string;
    };
    const marks = methods[0]!.factors.map(({ closed, id }) => [id, closed]);
    expect(marks).toEqual([
      [alice.factorId, true],
      [second.factorId, undefined],
    ]);
    expect(preferred).toBe("totp");
    expect((await waiting.page("/2fa")).text).toContain('action="/2fa/totp"');
    expect((await waiting.verify(second.phone.code(target.clock()))).status).toBe(200);
    expect((await target.mfa.accounts.status("u1")).disabled).toEqual([]);
  });
});

describe("what strangers with the password have closed", () => {
  test("is open to a login that is verified, whose owner steps up with it", async () => {
    const alice = await owner();
    await closeApp(alice);
    expect((await alice.inside.get("/2fa")).body.methods[0].factors[0]).not.toHaveProperty("closed");
    expect((await alice.inside.page("/2fa?confirm")).text).toContain('action="/2fa/totp"');
    expect((await alice.inside.verify(next(alice))).status).toBe(200);
  });

  test("is named in the answer to the right code there, and stays closed until its owner opens it", async () => {
    const alice = await owner();
    await closeApp(alice);
    const answer = await alice.inside.verify(next(alice));
    const closed = [{ id: alice.factorId, type: "totp", label: "Authenticator app" }];
    expect(answer.body).toMatchObject({ status: "verified", closed });
    expect((await alice.inside.get("/2fa/settings")).body.closed).toEqual(closed);
    const waiting = await pending(alice.target, "alice");
    expect((await waiting.verify(next(alice))).status).toBe(429);

    actions(alice.target);
    expect((await alice.inside.post("/2fa/reopen")).status).toBe(204);
    expect(actions(alice.target)).toEqual(["factor-reopened"]);
    expect((await alice.inside.get("/2fa/settings")).body).not.toHaveProperty("closed");
    expect((await waiting.verify(next(alice))).status).toBe(200);
  });

  test("is opened once: its owner is told, and the list of what happened has both", async () => {
    const alice = await owner();
    await closeApp(alice);
    await alice.inside.verify(next(alice));
    await alice.inside.post("/2fa/reopen");
    actions(alice.target);
    expect((await alice.inside.post("/2fa/reopen")).status).toBe(204);
    expect(actions(alice.target)).toEqual([]);
    const told = alice.notices.map(({ kind }) => kind).filter((kind) => kind.startsWith("factor-"));
    expect(told).toEqual(["factor-enrolled", "factor-disabled", "factor-reopened"]);
    const { activity } = (await alice.inside.get("/2fa/settings")).body as {
      activity: { action: string; label?: string }[];
    };
    expect(activity.filter(({ action }) => ["factor-reopened", "factor-disabled"].includes(action))).toMatchObject([
      { action: "factor-reopened", method: "totp", label: "Authenticator app" },
      { action: "factor-disabled", method: "totp", label: "Authenticator app" },
    ]);
  });

  test("is opened by nobody without a fresh proof: not by a login that waits, and not by one that proved long ago", async () => {
    const alice = await owner();
    await closeApp(alice);
    const waiting = await pending(alice.target, "alice");
    expect((await waiting.post("/2fa/reopen")).body.code).toBe("second-factor-required");
    alice.target.clock.advance(16 * MINUTE);
    const stale = await alice.inside.post("/2fa/reopen");
    expect([stale.status, stale.body.code]).toEqual([401, "step-up-required"]);
    expect((await alice.target.mfa.accounts.status("u1")).disabled).toEqual([alice.factorId]);
  });

  test("is not opened from another site", async () => {
    const alice = await owner();
    await closeApp(alice);
    await alice.inside.verify(next(alice));
    const answer = await alice.inside.form("/2fa/reopen").set("Sec-Fetch-Site", "cross-site");
    expect(answer.status).toBe(403);
    expect((await alice.target.mfa.accounts.status("u1")).disabled).toEqual([alice.factorId]);
  });

  test("is offered to a browser on its way from the step-up, which goes on from there whatever is answered", async () => {
    const alice = await owner({
      routes(app, mfa) {
        app.get("/fresh", mfa.require({ maxAge: "1m" }), (_req, res) => void res.send("fresh"));
      },
    });
    await closeApp(alice);
    alice.target.clock.advance(2 * MINUTE);
    expect((await alice.inside.page("/fresh")).status).toBe(303);
    const proved = await alice.inside.form("/2fa/totp", { code: next(alice) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/2fa/reopen"]);
    const page = await alice.inside.page("/2fa/reopen");
    expect(visibleText(page.text)).toContain(
      "There were too many wrong codes, so this no longer opens anything: “Authenticator app”.",
    );
    expect(page.text).toContain('action="/2fa/reopen"');
    expect(page.text).toContain('href="/fresh"');
    const opened = await alice.inside.form("/2fa/reopen");
    expect([opened.status, opened.headers.location]).toEqual([303, "/fresh"]);
    expect((await alice.inside.page("/fresh")).text).toBe("fresh");
    expect((await alice.target.mfa.accounts.status("u1")).disabled).toEqual([]);
    expect((await alice.inside.page("/2fa/reopen")).headers.location).toBe("/2fa/settings");
  });

  test("is opened from the settings page too, which asks once more", async () => {
    const alice = await owner();
    await closeApp(alice);
    const settings = await alice.inside.page("/2fa/settings");
    expect(visibleText(settings.text)).toContain("this no longer opens anything: “Authenticator app”");
    expect(settings.text).toMatch(/<details[^]*action="\/2fa\/reopen"/);
    const opened = await alice.inside.form("/2fa/reopen");
    expect([opened.status, opened.headers.location]).toEqual([303, "/2fa/settings"]);
    expect((await alice.inside.page("/2fa/settings")).text).not.toContain("/2fa/reopen");
  });

  test("as codes for the day the phone is gone, is offered by their name", async () => {
    const alice = await owner();
    await closeBackupCodes(alice);
    const { body } = await alice.inside.verify(next(alice));
    expect(body.closed).toEqual([{ id: expect.any(String), type: "backup-code", label: "" }]);
    expect(visibleText((await alice.inside.page("/2fa/reopen")).text)).toContain(
      "no longer opens anything: “Backup code”",
    );
    await alice.inside.post("/2fa/reopen");
    const waiting = await pending(alice.target, "alice");
    expect((await waiting.post("/2fa/backup-code", { code: alice.backupCodes[0] })).status).toBe(200);
  });

  test("is opened at once by another factor at a login", async () => {
    const alice = await owner();
    await closeApp(alice);
    const waiting = await pending(alice.target, "alice");
    const answer = await waiting.post("/2fa/backup-code", { code: alice.backupCodes[0] });
    expect([answer.status, answer.body.closed]).toEqual([200, undefined]);
    expect((await alice.target.mfa.accounts.status("u1")).disabled).toEqual([]);
  });
});

describe("what was closed within a login that is verified", () => {
  /** Fifty wrong codes of the app, given by whoever has Alice's session. */
  async function closeInside({ inside, phone, target }: Owner): Promise<void> {
    const code = wrongCode(phone, target.clock());
    for (let tries = 0; tries < 50; tries += 1) expect((await inside.verify(code)).status).toBe(401);
  }

  test("is open at logins, closed in every login that is verified, and no login by it opens it there", async () => {
    const alice = await owner();
    await closeInside(alice);
    expect((await alice.inside.get("/2fa")).body.methods[0].factors[0].closed).toBe(true);
    expect((await alice.inside.verify(next(alice))).status).toBe(429);
    const again = await pending(alice.target, "alice");
    expect((await again.verify(next(alice))).status).toBe(200);
    expect((await again.verify(next(alice))).status).toBe(429);
  });

  test.each(["in a login that is verified", "at a login"])("is opened by another factor %s", async (where) => {
    const alice = await owner();
    await closeInside(alice);
    const jar = where === "at a login" ? await pending(alice.target, "alice") : alice.inside;
    actions(alice.target);
    const answer = await jar.post("/2fa/backup-code", { code: alice.backupCodes[0] });
    expect([answer.status, answer.body.closed]).toEqual([200, undefined]);
    expect(actions(alice.target)).toContain("factor-reopened");
    expect((await alice.inside.verify(next(alice))).status).toBe(200);
  });
});

describe("an operator", () => {
  test.each<[string, (alice: Owner) => Promise<unknown>]>([
    ["reopenFactors()", ({ target }) => target.mfa.accounts.reopenFactors("u1", { actor: "support:7" })],
    [
      "passwordChanged({ reopen: true })",
      ({ target }) => target.mfa.accounts.passwordChanged("u1", { actor: "support:7", reopen: true }),
    ],
  ])("opens what guessing closed, at logins and within them, by %s", async (_name, act) => {
    const alice = await owner();
    await closeApp(alice);
    await closeBackupCodes(alice);
    const wrong = wrongCode(alice.phone, alice.target.clock());
    for (let tries = 0; tries < 50; tries += 1) await alice.inside.verify(wrong);
    alice.target.clock.advance(HOUR);
    alice.target.events.length = 0;
    await act(alice);
    const opened = alice.target.events.filter(({ action }) => action === "factor-reopened");
    expect(opened).toMatchObject([
      { actor: "support:7", userId: "u1", method: "backup-code" },
      { actor: "support:7", userId: "u1", method: "totp", factorId: alice.factorId },
    ]);
    expect((await alice.target.mfa.accounts.status("u1")).disabled).toEqual([]);
    expect((await alice.inside.verify(next(alice))).status).toBe(200);
    const waiting = await pending(alice.target, "alice");
    expect((await waiting.verify(next(alice))).status).toBe(200);
    const other = await pending(alice.target, "alice");
    expect((await other.post("/2fa/backup-code", { code: alice.backupCodes[0] })).status).toBe(200);
  });

  test("opens nothing where nothing is closed, and a changed password opens nothing by itself", async () => {
    const alice = await owner();
    expect(await alice.target.mfa.accounts.reopenFactors("u1")).toBe(false);
    expect(await alice.target.mfa.accounts.reopenFactors("nobody")).toBe(false);
    await closeApp(alice);
    await alice.target.mfa.accounts.passwordChanged("u1");
    expect((await alice.target.mfa.accounts.status("u1")).disabled).toEqual([alice.factorId]);
    expect(await alice.target.mfa.accounts.reopenFactors("u1")).toBe(true);
  });
});
