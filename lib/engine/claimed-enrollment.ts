import { type Account, type Factor, freeLabel } from "../core/account.js";
import { withLooseClaims, withoutLooseClaims } from "../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { settingUpProblem } from "../policy/access.js";
import type { Change } from "./account-records.js";
import { type Activation, activate, type EnrolledFactor, enrolledWith, type ProvenFactor } from "./activation.js";
import { type Claim, credentialClaim } from "./credential-index.js";
import type { EngineDependencies } from "./dependencies.js";
import { retreat } from "./entries.js";
import { type LoginContext, subjectOf, weighed } from "./login-context.js";
import type { AnyMethod } from "./method.js";
import { hasRoomAt } from "./open-enrollments.js";

/** A factor that was proved, and is to be found by an id that no other factor of any user has. */
export interface ClaimedFactor extends Omit<ProvenFactor, "label"> {
  /** That id: one of its method's `credentialIds`. */
  readonly credentialId: string;
  /** What its owner calls it. Default: what the one is called that it replaces, else `name`, numbered from the second on. */
  readonly label?: string | undefined;
  readonly name: string;
  /** Why the account, as it is now, cannot have it; undefined where it can. */
  readonly problem: (login: LoginContext, now: number) => Problem | undefined;
}

/** Which factor a new one is to replace. */
type Place = Pick<Factor, "id" | "type">;

function factorAt({ factors }: Account, place: Place | undefined): Factor | undefined {
  return place && factors.find(({ id, type }) => id === place.id && type === place.type);
}

/** Why this login can add no factor to the account as it is now, or none in that place; undefined where it can. */
export function newFactorProblem(login: LoginContext, now: number, place?: Place): Problem | undefined {
  const problem = settingUpProblem(login, place !== undefined, now);
  if (problem !== undefined) return problem;
  if (place === undefined) return hasRoomAt(login) ? undefined : { code: "conflict" };
  return factorAt(login.record.account, place) === undefined ? { code: "not-found" } : undefined;
}

/** As {@link newFactorProblem}, before anything of it is looked at: that there is no room is told last. */
export function earlyFactorProblem(login: LoginContext, now: number, place?: Place): Problem | undefined {
  return place === undefined ? settingUpProblem(login, false, now) : newFactorProblem(login, now, place);
}

/** What is replaced, as {@link newFactorProblem} takes it. */
export function placeOf(type: MethodType, replaces: FactorId | undefined): Place | undefined {
  return replaces === undefined ? undefined : { id: replaces, type };
}

/** What was shown of a new factor is no proof of having it. */
export function refusedFactor(
  { emitAudit }: Pick<EngineDependencies, "emitAudit">,
  login: LoginContext,
  { refusal, type }: Pick<AnyMethod, "refusal" | "type">,
): Outcome<never> {
  emitAudit("factor-failed", subjectOf(login), { method: type, outcome: "failure" });
  return failure(refusal, { isFailedAttempt: true });
}

/** Writes down what is about to be claimed: should nothing come of it, it can still be given up. */
function announce(
  login: LoginContext,
  { problem }: ClaimedFactor,
  claim: Claim,
  now: number,
): Change<Outcome<undefined>> {
  const refusal = problem(login, now);
  if (refusal !== undefined) return { result: { ok: false, problem: refusal } };
  return { account: withLooseClaims(login.record.account, [claim]), result: success(undefined) };
}

/** `success(undefined)`: another change of the account has given the claim up since it was announced. */
async function add(
  dependencies: EngineDependencies,
  login: LoginContext,
  { credentialId, label, name, problem, ...proven }: ClaimedFactor,
  now: number,
): Promise<Change<Outcome<Activation | undefined>>> {
  const { account } = login.record;
  const refusal = problem(login, now);
  if (refusal !== undefined) return { result: { ok: false, problem: refusal } };
  if (account.looseClaims?.includes(credentialClaim(credentialId)) !== true) return { result: success(undefined) };
  const replaced = factorAt(account, placeOf(proven.type, proven.replaces));
  const chosen = cleanText(label ?? "", MAX_LABEL) || (replaced?.label ?? freeLabel(account, name));
  const activated = await activate(dependencies, login, { ...proven, label: chosen }, now);
  const { account: next = account, result, ...change } = activated;
  return { ...change, account: withoutLooseClaims(next, [credentialClaim(credentialId)]), result: success(result) };
}

/**
 * Puts a factor in force whose id is claimed with it: announced in the account, claimed, added; where that comes to nothing the claim
 * is given up, and where another change of the account gives it up beside this, all is done again. As any first or further factor it ends every other login and the trust in all browsers.
 */
export async function addClaimed(
  dependencies: EngineDependencies,
  login: LoginContext,
  factor: ClaimedFactor,
): Promise<Outcome<EnrolledFactor>> {
  const { clock, credentials, records } = dependencies;
  const claim = credentialClaim(factor.credentialId);
  const giveUp = async (problem: Problem): Promise<Outcome<never>> => {
    // One the account lives by stays. What cannot be given up now is written down; the answer is the same.
    await credentials.settle(login.userId, [claim]).catch(() => undefined);
    return { ok: false, problem };
  };
  for (let attempt = 0; ; attempt += 1) {
    const { result: announced } = await records.change(subjectOf(login), (current, now) =>
      announce(weighed(login, current, now), factor, claim, now),
    );
    if (!announced.ok) return announced;
    if (!(await credentials.claim(claim, login.userId))) return giveUp({ code: "conflict" });
    const { record, result } = await records.change(subjectOf(login), (current, now) =>
      add(dependencies, weighed(login, current, now), factor, now),
    );
    if (!result.ok) return giveUp(result.problem);
    if (result.value !== undefined) {
      await credentials.tidy(login.userId, record.account);
      return success(enrolledWith(login, result.value, record, clock()));
    }
    await retreat("A credential's claim", attempt);
  }
}
