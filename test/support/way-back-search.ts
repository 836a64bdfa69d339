// The way back and the help desk, once through all of it: what is left behind, and which of it must not be there.
import { readFileSync } from "node:fs";
import { found } from "./routes.js";
import { USERS } from "./app.js";
import { answersOf, codesIn, type Mail, sessionsIn, spelled, spelledDestination, written } from "./left-behind.js";
import type { Overheard } from "./overheard.js";
import { DESK, type WayBackStage, WHY } from "./way-back-stage.js";

/** A mail is for its owner; all else in it than its links is searched, too. */
export function withoutLinks({ text }: Mail): string {
  return text.replace(/https?:\/\/\S+/g, "");
}

export function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").trim().split("\n");
}

/** Where everything of the way back could have been left, but for what each answer alone shows. */
export async function leftBy(run: WayBackStage, overheard: Overheard): Promise<Record<string, string>> {
  const { accounts } = run.target.mfa;
  const told = await Promise.all(
    ["u1", "u2"].map((id) => Promise.all([accounts.status(id), accounts.export(id, DESK)])),
  );
  const errors = run.target.errors.map(({ error, ...rest }) => `${JSON.stringify(rest)} ${written(error)}`);
  // The link that completes a recovery is kept in a cookie of its own, and in no other.
  const cookies = run.answers.map(({ answer }) =>
    JSON.stringify(answer.headers["set-cookie"] ?? "").replace(/\b2fa-recovery=[^;]*/, "2fa-recovery"),
  );
  return {
    printed: overheard.printed.join(""),
    errors: errors.join("\n"),
    telemetry: JSON.stringify(run.telemetry),
    asked: JSON.stringify(run.asked),
    accounts: JSON.stringify(told),
    sessions: sessionsIn(run.sessionStore),
    notices: JSON.stringify(run.notices.map(({ event: _told, links: _theirs, to: _own, ...notice }) => notice)),
    cookies: cookies.join("\n"),
    events: JSON.stringify([run.target.events, overheard.published]),
    rows: run.store.written.filter((row) => !row.startsWith("audit-subject:")).join("\n"),
    audit: readFileSync(run.auditPath, "utf8"),
  };
}

/** The secret under which the audit file names each user: in its own row, and nowhere else. */
export function subjectsOf({ store }: WayBackStage): string[] {
  return store.written.flatMap((row) => /^audit-subject:\S+ (.+)$/.exec(row)?.[1] ?? []);
}

/** By place, what must not be there. */
export function leaksIn(run: WayBackStage, places: Readonly<Record<string, string>>): string[] {
  const { auditKey, cookieTokens, named, numbers, secrets, sessions } = run;
  const addresses = USERS.map(({ email }) => email).flatMap(spelledDestination);
  const everywhere = [...secrets, auditKey, ...subjectsOf(run)].flatMap(spelled);
  const opening = [...sessions, ...cookieTokens].flatMap(spelled);
  return Object.entries(places).flatMap(([place, text]) => [
    ...found(text, [...everywhere, ...addresses, ...named]).map((each) => `${place}: ${each}`),
    ...(place === "cookies" ? [] : found(text, opening).map((each) => `${place}: ${each}`)),
    ...codesIn(text, [...numbers]).map((each) => `${place}: ${each}`),
    // Said to those who keep the trail alone.
    ...(["events", "rows", "audit"].includes(place) ? [] : found(text, [WHY]).map((each) => `${place}: ${each}`)),
    ...(/"number":"[0-9]{2}"/.test(text) ? [`${place}: a number that a device waits for`] : []),
  ]);
}

/** Beside what an answer shows by itself, nothing is in it; and nothing of alice is in one to anybody else, who acts for her neither. */
export function leaksInAnswers(run: WayBackStage): string[] {
  return run.answers.flatMap(({ answer, name, own }) => {
    const entries = Object.entries(answersOf([answer])).map(([place, text]) => {
      const without = own.reduce((left, each) => left.replaceAll(each, ""), text);
      return [
        `${name} ${place}`,
        /\/push\/send 202/.test(place) ? without.replace(/"number":"[0-9]{2}"/, "") : without,
      ];
    });
    const ofAlice = ["alice", ...run.ids];
    const others = ["mallory", "support"].includes(name) ? entries : [];
    return [
      ...leaksIn(run, Object.fromEntries(entries) as Record<string, string>),
      ...others.flatMap(([place, text]) => found(text!, ofAlice).map((each) => `${place}: ${each}`)),
    ];
  });
}
