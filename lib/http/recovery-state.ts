import type { Problem } from "../core/errors.js";
import { CONFIRM_LIFE } from "../core/recovery.js";
import { MINUTE } from "../core/nouns.js";
import { isFresh, iso } from "../core/time.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { hasEndedSince, recoveryView, type RecoveryView } from "../engine/recovery-view.js";
import type { ShownRecovery } from "../pages/views.js";
import { problemMember } from "./page-problems.js";

const RECOVERY = "recovery";

/** What was wrong with a request to recover: the challenge says it with the form of that, and not with a factor's. */
export function ofRecovery(problem: Problem): Problem {
  return { ...problem, members: { ...problem.members, of: RECOVERY } };
}

function isOfRecovery(problem: Problem | undefined): boolean {
  return problem?.members?.of === RECOVERY;
}

/** A problem that the form of a factor says. */
export function ofFactor(problem: Problem | undefined): Problem | undefined {
  return isOfRecovery(problem) ? undefined : problem;
}

/** {@link shownRecovery} for a page, which says how long it takes, and what was wrong with a request. */
export function recoveryOnPage(
  engine: Engine,
  login: LoginContext,
  problem: Problem | undefined,
): ShownRecovery | undefined {
  const view = shownRecovery(engine, login);
  if (view === undefined) return undefined;
  const now = engine.dependencies.clock();
  const asked = askedWithin(login, now);
  return {
    ...view,
    ...minutesTo(view, now),
    ...(asked !== undefined && view.state !== "waiting" && { askedAt: iso(asked) }),
    ...(engine.recoveries?.takesOldCode === true && { takesOldCode: true }),
    ...problemMember(isOfRecovery(problem) ? problem : undefined),
  };
}

/** When this login asked for a link, while that may still be opened. Milliseconds since the epoch. */
function askedWithin({ session }: LoginContext, now: number): number | undefined {
  const asked = session?.askedRecovery;
  return asked !== undefined && isFresh(asked, CONFIRM_LIFE - 1, now) ? asked : undefined;
}

/** How long a wait lasts, where there is one. */
export function minutesTo({ completesAt }: RecoveryView, now: number): Pick<ShownRecovery, "minutesLeft"> {
  if (completesAt === undefined) return {};
  return { minutesLeft: Math.max(0, (Date.parse(completesAt) - now) / MINUTE) };
}

/** Until when a login that completed a recovery may set up a factor, ISO 8601, UTC; undefined where it completed none. */
export function recoveringUntil({ status }: LoginContext): string | undefined {
  const isRecovering = "recovers" in status && status.expiresAt !== undefined;
  return isRecovering ? iso(status.expiresAt) : undefined;
}

/**
 * What whoever is asked for a second factor is told of a recovery; undefined where there is none to be had. Whether anything came of a
 * request is not told before it is confirmed: to the login that asked it was requested, and to any other it was not. Of one that was
 * confirmed and has ended it is.
 */
export function shownRecovery({ dependencies, recoveries }: Engine, login: LoginContext): RecoveryView | undefined {
  const { record, status } = login;
  if (recoveries === undefined || (status.status !== "pending" && status.status !== "trusted-device")) return undefined;
  const now = dependencies.clock();
  const view = recoveryView(record.account, now);
  if (view.state !== "none" && view.state !== "requested") return view;
  const asked = askedWithin(login, now);
  if (asked === undefined) return { state: "none" };
  return hasEndedSince(record.account, asked) ? view : { state: "requested" };
}
