import type { Account } from "../core/account.js";
import { failure, NotDoneError, type Outcome, type Problem, success } from "../core/errors.js";
import type { PassTerms } from "../core/help-desk.js";
import { ALL_CODES, type Proof, TEMPORARY_PASS } from "../core/nouns.js";
import { type OpenPass, openPass, type Pass, passWait, usePass, withPass } from "../core/passes.js";
import { digestOf, findDigest, newDigestKey, openDigestKey } from "../crypto/digests.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { newPaperCode, shownPaperCode } from "../crypto/paper-codes.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { freezeProblem } from "../policy/access.js";
import type { SessionRecord } from "../policy/assess.js";
import type { Change } from "./account-records.js";
import { countedFailure, limitRefusal } from "./counting.js";
import type { EngineDependencies } from "./dependencies.js";
import { elevate, type ElevatedLogin, risen } from "./elevation.js";
import { type LoginContext, scopeOf, subjectOf, weighed } from "./login-context.js";
import type { SealContext } from "./method.js";
import { hasRisen } from "./openings.js";

/** A pass that was given out: what it is in clear, once, and the account that knows it. */
export interface IssuedPass {
  readonly account: Account;
  readonly event: AccountEvent;
  /** `XXXX-XXXX-XXXX-XXXX`. */
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What a pass is given out on. */
export interface Issuing {
  readonly terms: PassTerms;
  readonly actor: string;
  readonly now: number;
}

function contextOf(userId: string, passId: string): KeyContext {
  return { owner: userId, purpose: `temporary-pass/${passId}` };
}

/** The pass with its key sealed by the newest key. */
export async function resealPass(pass: Pass, { keys, userId }: SealContext): Promise<Pass> {
  const { id, secret } = pass;
  if (secret === undefined) return pass;
  return { ...pass, secret: { ...secret, key: await keys.reseal(secret.key, contextOf(userId, id)) } };
}

/**
 * Why the account is given none now.
 * @throws NotDoneError that says so
 */
export function requirePassRoom(account: Account, now: number): void {
  // Whoever said "this wasn't me" must not be talked round: what they set up would be refused, too.
  if (freezeProblem(account, now) !== undefined) throw new NotDoneError({ code: "frozen" });
  const retryAfter = passWait(account, now);
  if (retryAfter !== undefined) throw new NotDoneError({ code: "too-many-attempts", retryAfter });
}

/** A new pass, in the place of one that could be typed until now. @throws NotDoneError where the account is given none */
export async function issuePass(
  { keys }: Pick<EngineDependencies, "keys">,
  account: Account,
  { actor, now, terms }: Issuing,
): Promise<IssuedPass> {
  requirePassRoom(account, now);
  const [id, code] = [randomId(), newPaperCode()];
  const context = contextOf(account.userId, id);
  const { key, sealed } = await newDigestKey(keys, context);
  const secret = { key: sealed, digest: digestOf(key, code, context) };
  const expiresAt = now + terms.life;
  const pass: OpenPass = { id, issuedAt: now, expiresAt, actor, uses: terms.uses, secret };
  const event = { action: "temporary-pass-issued", method: TEMPORARY_PASS, factorId: id } as const;
  return { account: withPass(account, pass, now), event, code: shownPaperCode(code), expiresAt };
}

/** What typing a pass came to, in the write that uses it up. */
interface Passed {
  readonly proof: Proof;
  readonly session: SessionRecord;
}

/** Why a pass is not taken at this login; undefined where it is. */
function admissionProblem(login: LoginContext): Problem | undefined {
  const { status } = login.status;
  if (status === "ended" || hasRisen(login)) return { code: "expired" };
  // Nothing is asked of them that it would stand in for.
  return status === "verified" || status === "not-enrolled" ? { code: "conflict" } : undefined;
}

/**
 * Codes that the help desk gave out, typed at the challenge in the place of a factor. The login is complete with one, and its proof sets
 * a new factor up and opens nothing else: it is none of the methods, so no route takes it and no list names it.
 */
export class TemporaryPasses {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** Of any number of simultaneous attempts with a pass, as many succeed as it has uses. `code`: as it is digested. */
  async use(login: LoginContext, code: string): Promise<Outcome<ElevatedLogin>> {
    const { clock, records } = this.dependencies;
    const { record, result } = await records.change(
      subjectOf(login),
      (current, now) => this.tryAt(weighed(login, current, now), code, now),
      login.record,
    );
    if (!result.ok) return result;
    const { proof, session } = result.value;
    return success({ login: risen({ ...login, session }, record, clock()), proof, answer: {} });
  }

  private async tryAt(login: LoginContext, code: string, now: number): Promise<Change<Outcome<Passed>>> {
    const problem = admissionProblem(login);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const { account } = login.record;
    const counting = { kinds: [ALL_CODES], scope: scopeOf(login), type: TEMPORARY_PASS };
    const limited = limitRefusal(this.dependencies, account, counting, now);
    if (limited !== undefined) return limited.change;
    const pass = openPass(account, now);
    if (pass === undefined || !(await this.isCodeOf(pass, account, code))) {
      const counted = countedFailure(this.dependencies, account, counting, now);
      return { ...counted, result: failure("invalid-code", { isFailedAttempt: true }) };
    }
    return this.take(login, pass, now);
  }

  private async take(login: LoginContext, pass: OpenPass, now: number): Promise<Change<Outcome<Passed>>> {
    const about = { method: TEMPORARY_PASS, factorId: pass.id };
    const proof: Proof = { ...about, at: now, amr: [TEMPORARY_PASS] };
    const used = usePass(login.record.account, pass);
    const { account, events, session, written } = await elevate(
      this.dependencies,
      login,
      { account: used, proof },
      false,
    );
    return {
      account,
      events: [{ action: "temporary-pass-used", ...about }, ...events],
      result: success({ proof, session }),
      written,
    };
  }

  private async isCodeOf({ id, secret }: OpenPass, { userId }: Account, code: string): Promise<boolean> {
    const context = contextOf(userId, id);
    const key = await openDigestKey(this.dependencies.keys, secret.key, context);
    return findDigest(key, code, [secret.digest], context) >= 0;
  }
}
