// Everything there is to do, once, in one application; then all that it leaves behind is searched for what was secret.
import { describe, expect, test } from "@jest/globals";
import { verifyAudit } from "express-second-factor/audit";
import { USERS } from "../support/app.js";
import { MODES } from "../support/attack.js";
import { type CodesRun, codesRun } from "../support/codes-run.js";
import { answersOf, codesIn, sessionsIn, spelled, spelledDestination, written } from "../support/left-behind.js";
import { overhear } from "../support/overheard.js";
import { found } from "../support/routes.js";
import { WayBackRun } from "../support/way-back-run.js";
import { DESK, WHY } from "../support/way-back-stage.js";
import { leaksIn, leaksInAnswers, leftBy, linesOf, subjectsOf, withoutLinks } from "../support/way-back-search.js";

const overheard = overhear();

async function placesOf(run: CodesRun): Promise<Record<string, string>> {
  const { target, store, sessionStore, compromised } = run;
  const { accounts } = target.mfa;
  const told = await Promise.all(
    ["u1", "u3"].map(async (id) => [await accounts.status(id), await accounts.export(id)]),
  );
  const errors = target.errors.map(({ error, ...rest }) => `${JSON.stringify(rest)} ${written(error)}`);
  return {
    printed: overheard.printed.join(""),
    events: JSON.stringify([target.events, overheard.published]),
    errors: errors.join("\n"),
    compromise: JSON.stringify(compromised),
    accounts: JSON.stringify(told),
    rows: store.written.join("\n"),
    sessions: sessionsIn(sessionStore),
    ...answersOf(run.answers),
  };
}

describe("B43 a run of both methods, their mails and a report leaves nothing secret behind", () => {
  test.each(MODES)("B43 in rows, sessions, events, errors, what is printed and answers (%s)", async (mode) => {
    const run = await codesRun(mode);
    const tokens = run.postbox.tokens();
    process.emitWarning("the capture of warnings works");
    console.warn("the capture of what is printed works");
    await new Promise((resolve) => setImmediate(resolve));
    const places = await placesOf(run);

    // There was something to find, somewhere to look for it, and it is found where it belongs.
    const messages = [...run.outbox.messages, ...run.postbox.mails].map(({ text }) => text).join("\n");
    expect([found(messages, tokens), codesIn(messages, run.codes)]).toEqual([tokens, run.codes]);
    const actions = new Set(run.target.events.map(({ action }) => action));
    const had = ["factor-replaced", "reported", "login-unfinished", "notice-failed", "new-browser", "device-trusted"];
    expect(had.filter((action) => !actions.has(action))).toEqual([]);
    expect(run.postbox.mails.map(({ subject }) => subject).join()).toMatch(/Somebody knows.*was reported/);
    expect([run.codes.length > 12, tokens.length > 8, run.sessions.size > 8, run.cookieTokens.size > 4]).not.toContain(
      false,
    );
    expect([run.answers.length > 80, run.store.written.length > 60, run.compromised.length]).toEqual([true, true, 1]);
    expect(places["printed"]).toMatch(/is printed works[^]*of warnings works/);

    const destinations = [...new Set(run.destinations)].flatMap(spelledDestination);
    const opening = [...tokens, ...run.sessions, ...run.cookieTokens].flatMap(spelled);
    const backup = run.backupCodes.flatMap((code) => [...spelled(code), ...spelled(code.replaceAll("-", ""))]);
    for (const [place, text] of Object.entries(places)) {
      const shown = /enroll\/confirm 201/.test(place) ? [] : found(text, backup);
      expect([place, found(text, destinations), found(text, opening), codesIn(text, run.codes), shown]).toEqual([
        place,
        ...[[], [], [], []],
      ]);
    }
  });
});

describe("B43 the way back and the help desk leave nothing secret behind", () => {
  test.each(MODES)("B43 nor do support, a device that approves, an export and the audit file (%s)", async (mode) => {
    const run = await new WayBackRun(mode).through();
    try {
      await run.audit.flush();
      const places = await leftBy(run, overheard);
      const { events, mfa } = run.target;

      // There was something to find, and it is found where it belongs.
      const { mails } = run.postbox;
      const ways = ["report", "recovery/confirm", "recovery/cancel", "recovery/complete"];
      expect(ways.filter((way) => run.postbox.tokens(mails, way).length === 0)).toEqual([]);
      const had = ["approval-given", "temporary-pass-used", "caller-check-verified", "acting-login", "push-approved"];
      const done = [...had, "recovery-ready", "recovery-completed", "account-exported"];
      expect(done.filter((action) => !events.some((event) => event.action === action))).toEqual([]);
      expect(found(places["events"]!, [WHY])).toEqual([WHY]);
      const shown = run.answers.flatMap(({ answer, own }) => own.filter((each) => answer.text.includes(each)));
      expect([run.secrets, run.named, run.numbers].map((each) => each.size > 0)).toEqual([true, true, true]);
      expect(new Set(shown).size).toBeGreaterThan(25);
      expect([subjectsOf(run).length > 1, run.sessions.size > 8, run.cookieTokens.size > 2]).not.toContain(false);

      expect(leaksIn(run, { ...places, mails: mails.map(withoutLinks).join("\n") })).toEqual([]);
      expect(leaksInAnswers(run)).toEqual([]);
      expect(
        found(
          places["audit"]!,
          USERS.map(({ id }) => `"${id}"`),
        ),
      ).toEqual([]);

      // All that happened is in the file, and no more, also once one of them is forgotten.
      await mfa.accounts.erase("u1", DESK);
      await run.audit.close();
      const verdict = await verifyAudit([run.auditPath], { key: `audit:${run.auditKey}`, anchors: run.anchors });
      const kinds = linesOf(run.auditPath).map((line) => (JSON.parse(line) as { readonly kind: string }).kind);
      const chain = { isClosed: true, lost: 0, records: kinds.length };
      expect(verdict).toMatchObject({ isComplete: true, problems: [], notes: [], chains: [chain] });
      const counted = kinds.filter((kind) => kind === "event").length;
      expect([counted, overheard.published.length]).toEqual([events.length, events.length]);
    } finally {
      run.end();
    }
  });
});
