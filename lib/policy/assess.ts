import { type Account, isEnrolled, liveDevice, type Login } from "../core/account.js";
import { type MethodType, MINUTE, type PolicyDecision, type UserId } from "../core/nouns.js";

/** How long somebody who gave the first factor may take over the second. */
export const PENDING_LIFE = 10 * MINUTE;

/**
 * What a session remembers of a login. It grants nothing: a first step is worth what the account asks of it now, and a
 * second step is worth something only while the account lists it.
 */
export interface Mark {
  readonly user: UserId;
  readonly step: "first" | "second";
  /** Id of this stage of the login; renewed at every rise, so that an older copy of the session is worthless. */
  readonly id: string;
  /** When the first factor was given, milliseconds since the epoch. */
  readonly at: number;
  /** The account's generation at the login. */
  readonly generation: string;
  /** A second factor was due: should it stop being due, the login ends instead of becoming a full one. */
  readonly pending?: boolean;
  /** Where the user was going: a local path, kept here and taken from nowhere else. */
  readonly returnTo?: string;
  /** Found in the session without a mark: when its first factor was given is not known, so it is not fresh. */
  readonly adopted?: boolean;
  /** The first factor was this method, so the second must be another. */
  readonly first?: MethodType;
  /** What a route asked for that this login could not show; the next proof is given for it. */
  readonly stepUp?: StepUp;
}

/** A proof a route is waiting for. */
export interface StepUp {
  /** Methods whose proof will do. */
  readonly methods: readonly MethodType[];
  /** Digest of the one operation the proof is for. */
  readonly operation?: string;
  /** What the user is about to confirm, sealed. */
  readonly shown?: string;
}

/** What a login is worth right now. An `ended` one is over, whatever its session says. */
export type Standing =
  | {
      readonly status: "not-enrolled" | "must-enroll";
      /** A factor exists all the same: policy exempts the user from being asked. */
      readonly isEnrolled?: true;
      readonly expiresAt?: number;
      /** A full login whose account lost its factors. */
      readonly login?: Login;
    }
  | { readonly status: "pending"; /** Absent: nobody marked the login yet. */ readonly expiresAt?: number }
  | { readonly status: "trusted-device" | "verified"; readonly login: Login }
  | { readonly status: "ended" };

export interface Situation {
  readonly account: Account;
  /** Undefined: a login nobody marked yet, or another user's mark. */
  readonly mark: Mark | undefined;
  readonly decision: PolicyDecision;
  readonly now: number;
}

function assessSecondStep({ account, mark, decision, now }: Situation): Standing {
  const login = account.logins.find((each) => each.id === mark?.id);
  if (login === undefined) return { status: "ended" };
  if (!isEnrolled(account)) return { status: decision === "required" ? "must-enroll" : "not-enrolled", login };
  if (login.proofs.length > 0) return { status: "verified", login };
  const trusted = login.deviceId !== undefined && liveDevice(account, login.deviceId, now) !== undefined;
  return trusted ? { status: "trusted-device", login } : { status: "ended" };
}

/** Every login of an older generation is over, and a first step that was ended. */
function isOver({ generation, id }: Mark, account: Account): boolean {
  return generation !== account.generation || account.ended.includes(id);
}

function due(status: "pending" | "must-enroll", mark: Mark | undefined, now: number): Standing {
  if (mark === undefined || (status === "must-enroll" && mark.pending !== true)) return { status };
  const expiresAt = mark.at + PENDING_LIFE;
  return expiresAt <= now ? { status: "ended" } : { status, expiresAt };
}

function assessFirstStep({ account, mark, decision, now }: Situation): Standing {
  const enrolled = isEnrolled(account);
  if (decision === "exempt") return { status: "not-enrolled", ...(enrolled ? { isEnrolled: true } : {}) };
  if (enrolled) return due("pending", mark, now);
  if (decision === "required") return due("must-enroll", mark, now);
  return mark?.pending === true ? { status: "ended" } : { status: "not-enrolled" };
}

/**
 * What this login is worth at this moment: a pure function of the account as stored, the session's mark, the policy and
 * the clock, and of nothing else. Nothing it answers is kept.
 */
export function assess(situation: Situation): Standing {
  const { account, mark } = situation;
  if (mark !== undefined && isOver(mark, account)) return { status: "ended" };
  return mark?.step === "second" ? assessSecondStep(situation) : assessFirstStep(situation);
}

/** A second factor is due: nothing but the second-factor routes and exempt paths is reachable. */
export function isDue(standing: Standing): boolean {
  return standing.status === "pending" || standing.status === "must-enroll";
}
