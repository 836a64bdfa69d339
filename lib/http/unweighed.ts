import type { Request } from "express";
import type { Engine } from "../engine/engine.js";
import { subjectOf, type Unweighed } from "../engine/login-context.js";
import { riskFactsOf } from "../engine/risks.js";
import { decisionOf } from "../policy/assess.js";
import { type LoginDecision, stricter } from "../policy/decisions.js";
import type { LoginFacts } from "../policy/policy.js";
import { type readRecord, unmarkedSession } from "./session.js";
import type { AppUser, Settings } from "./settings.js";
import { RequestSource } from "./source.js";

/** What there is to a login beside its user. */
interface Made {
  /** What the session says of it; of one that is made just now it says nothing. */
  readonly read?: typeof readRecord;
  readonly facts: LoginFacts;
}

/** Its session keeps it. */
export const IN_SESSION: LoginFacts = { session: true };

/** Whatever a later request carries, and wherever the session's content went, a login is asked for no less than before. */
function owed(before: LoginDecision = "exempt", asked: LoginDecision | "deny"): LoginDecision {
  return stricter(before, asked === "deny" ? "optional" : asked);
}

/** What decides about logins, and what is known of them. */
interface Deciding {
  readonly settings: Settings;
  readonly engine: Engine;
}

interface Question extends Pick<Unweighed, "source" | "userId"> {
  readonly req: Request;
  readonly user: AppUser;
  readonly facts: LoginFacts;
  /** What the login has owed so far; undefined: it is made just now. */
  readonly before: LoginDecision | undefined;
}

async function askPolicy({ engine, settings }: Deciding, question: Question): Promise<LoginDecision | "deny"> {
  const { before, facts, req, user } = question;
  const { clock, policy, proxyCheck } = settings;
  if (policy.fixed !== undefined) return policy.fixed;
  if (policy.isTrusted(req, clock())) return "exempt";
  if (!policy.takesFacts) return policy.ask(user, req, facts, undefined);
  // A login is weighed once. One that was exempt for where it was made has not been yet.
  if (before !== undefined && before !== "exempt") return before;
  const isAddressCertain = proxyCheck.isAddressCertain(req);
  return policy.ask(user, req, facts, await riskFactsOf(engine.dependencies, question, isAddressCertain));
}

/** Refused, unless nothing is enforced: then it is only told of. */
function denied({ engine, settings }: Deciding, login: Unweighed): Unweighed {
  if (!settings.isReport) return { ...login, denied: true };
  const told = { outcome: "failure", reason: "denied" } as const;
  engine.dependencies.emitAudit("would-block", subjectOf(login), told);
  return login;
}

/** Everything that is known of a login before its account is looked at. */
export async function unweighedOf(
  req: Request,
  deciding: Deciding,
  user: AppUser,
  { facts, read }: Made = { facts: IN_SESSION },
): Promise<Unweighed> {
  const { settings } = deciding;
  const userId = settings.userId(user);
  const session = read?.(req, userId);
  const source = new RequestSource(req, settings, user);
  const unmarked = session === undefined && read !== undefined ? unmarkedSession(req, userId) : undefined;
  const known = session ?? unmarked?.copied;
  const before = known && decisionOf(known);
  const asked = await askPolicy(deciding, { req, user, userId, source, facts, before });
  const { methods: kinds, policy, trustMaxAge } = settings;
  const decision = owed(before, asked);
  const plain = { user, userId, session, decision, grace: policy.grace, trustMaxAge, kinds, source };
  const login = unmarked === undefined ? plain : { ...plain, unmarked };
  return asked === "deny" ? denied(deciding, login) : login;
}
