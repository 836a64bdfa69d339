import type { Response } from "supertest";
import { keyRing } from "../../lib/crypto/key-ring.js";
import { type ReportedEvent, ReportTokens } from "../../lib/engine/report-tokens.js";
import { TEST_KEYS, type TestApp } from "./app.js";
import { DAY } from "./attack.js";
import { type Enrolled, Jar } from "./browser.js";

export const REPORT = "/2fa/report";

/** What a message to the owner is about, beside whose account it is. */
export interface About extends Partial<Omit<ReportedEvent, "userId">> {
  readonly userId?: string;
  /** Default: those of the test applications. */
  readonly keys?: string;
}

/** A token as a link in a message carries it, about the newest line of the activity list, or the newest of this kind. */
export async function reportToken(target: TestApp, about: About = {}): Promise<string> {
  const { keys = TEST_KEYS, userId = "u1", ...event } = about;
  const { activity } = await target.mfa.accounts.export(userId, { actor: "test", reason: "its list" });
  const line = activity.find(({ action }) => event.kind === undefined || action === event.kind);
  const known = line && { kind: line.action, number: line.number, at: Date.parse(line.at) };
  const whole = { kind: "", number: 0, at: target.clock(), ...known, ...event, userId };
  return new ReportTokens(keyRing(keys), target.clock).seal(whole);
}

/** "This wasn't me", by somebody who is logged in nowhere. */
export async function reported(target: TestApp, about: About = {}): Promise<Response> {
  const answer = await new Jar(target).post(REPORT, { token: await reportToken(target, about) });
  if (answer.status !== 200) throw new Error(`the report answered ${answer.status}: ${answer.text}`);
  return answer;
}

/** An authenticator is added in this jar's login, and the owner says that it was not them. */
export async function addThenReport(jar: Jar, about: About = {}): Promise<Enrolled> {
  const { target } = jar;
  target.clock.advance(1);
  const added = await jar.enroll();
  await reported(target, { kind: "factor-enrolled", factorId: added.factorId, ...about });
  return added;
}

/** The id of the login that this jar holds, as the account lists it. */
export async function loginIdOf(jar: Jar): Promise<string> {
  const { sessions } = (await jar.get("/2fa/settings")).body as {
    sessions: readonly { id: string; current: boolean }[];
  };
  const own = sessions.find(({ current }) => current);
  if (own === undefined) throw new Error("The jar holds no login that is listed");
  return own.id;
}

export const WEEK = 7 * DAY;
