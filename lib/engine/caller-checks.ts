import type { Account } from "../core/account.js";
import { digitsIn } from "../core/codes.js";
import { failure, type Outcome, success } from "../core/errors.js";
import { afterWrongNumber, type CallerCheck, checkEnd, openCheck, withoutCheck, withShown } from "../core/help-desk.js";
import type { UserId } from "../core/nouns.js";
import { iso } from "../core/time.js";
import { digestOf, isSameText, newDigestKey, openDigestKey } from "../crypto/digests.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { changeProblem, FRESH, probationProblem } from "../policy/access.js";
import type { Change } from "./account-records.js";
import { statedBy } from "./account-imports.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, subjectOf, weighed } from "./login-context.js";

const DIGITS = 6;

/** Who is at the telephone, and why they ask. */
interface Operator {
  readonly actor: string;
  readonly reason?: string | undefined;
}

/** A number for the caller to read out. */
export interface CallerNumber {
  /** Six digits. */
  readonly number: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

function contextOf(userId: UserId): KeyContext {
  return { owner: userId, purpose: "caller-check" };
}

function endOf(check: CallerCheck): string {
  return iso(checkEnd(check));
}

/** How the help desk finds out who is on the line: a number on the page of somebody who is signed in, read out. */
export class CallerChecks {
  constructor(private readonly dependencies: Pick<EngineDependencies, "clock" | "keys" | "records">) {}

  /** Opens one, in the place of any that is open. */
  async begin(userId: UserId, { actor, reason }: Operator): Promise<{ readonly expiresAt: string }> {
    const { keys, records } = this.dependencies;
    const { sealed } = await newDigestKey(keys, contextOf(userId));
    const { result } = await records.change({ userId, actor }, ({ account }, now): Change<CallerCheck> => {
      const callerCheck: CallerCheck = { beganAt: now, key: sealed, nonce: randomId(), wrong: 0 };
      const events = [{ action: "caller-check-begun", ...statedBy(reason) }];
      return { account: { ...account, callerCheck }, events, result: callerCheck };
    });
    return { expiresAt: endOf(result) };
  }

  /** The number, for whoever has just proved a factor on their own page: the same one however often they ask. */
  async show(login: LoginContext): Promise<Outcome<CallerNumber>> {
    const { result } = await this.dependencies.records.change<Outcome<CallerCheck>>(
      subjectOf(login),
      (current, now) => this.showTo(weighed(login, current, now), now),
      login.record,
    );
    if (!result.ok) return result;
    return success({ number: await this.numberOf(login.userId, result.value), expiresAt: endOf(result.value) });
  }

  /** The number that was shown, once more; undefined where none was, or not to this login. */
  async shown(login: LoginContext): Promise<string | undefined> {
    const now = this.dependencies.clock();
    const check = openCheck(login.record.account, now);
    if (check === undefined || login.status.status !== "verified") return undefined;
    if (check.shownTo?.includes(login.status.login.id) !== true) return undefined;
    return changeProblem(login, FRESH, now) === undefined ? this.numberOf(login.userId, check) : undefined;
  }

  /** Whether that is the number the caller was shown: true once. What is no number of six digits is no try. */
  async verify(userId: UserId, typed: unknown, { actor, reason }: Operator): Promise<boolean> {
    const number = typeof typed === "string" ? digitsIn(typed, [DIGITS]) : undefined;
    const { result } = await this.dependencies.records.change(
      { userId, actor },
      async ({ account }, now): Promise<Change<boolean>> => {
        const told: AccountEvent = { action: "caller-check-verified", ...statedBy(reason) };
        const check = openCheck(account, now);
        if (check === undefined || number === undefined)
          return { events: [{ ...told, outcome: "failure" }], result: false };
        if (await this.isNumber(account, check, number))
          return { account: withoutCheck(account), events: [told], result: true };
        return {
          account: afterWrongNumber(account, check),
          events: [{ ...told, outcome: "failure" }],
          result: false,
        };
      },
    );
    return result;
  }

  private showTo(login: LoginContext, now: number): Change<Outcome<CallerCheck>> {
    const problem = changeProblem(login, FRESH, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    // Whoever has nothing to prove has shown no more than whoever took their password.
    if (login.status.status !== "verified") return { result: failure("enrollment-required") };
    const { account } = login.record;
    const early = probationProblem(account, now);
    if (early !== undefined) return { result: { ok: false, problem: early } };
    const check = openCheck(account, now);
    if (check === undefined) return { result: failure("not-found") };
    const { id } = login.status.login;
    if (check.shownTo?.includes(id) === true) return { result: success(check) };
    const events = [{ action: "caller-check-shown" }];
    return { account: withShown(account, check, id), events, result: success(check) };
  }

  /** One that nobody has seen yet is nobody's to say. */
  private async isNumber({ userId }: Account, check: CallerCheck, number: string): Promise<boolean> {
    const isRight = isSameText(number, await this.numberOf(userId, check));
    return isRight && check.shownTo !== undefined;
  }

  private async numberOf(userId: UserId, { key: sealed, nonce }: CallerCheck): Promise<string> {
    const context = contextOf(userId);
    const key = await openDigestKey(this.dependencies.keys, sealed, context);
    const digest = Buffer.from(digestOf(key, nonce, context), "base64url");
    // Of 48 bits: no number is likelier than another by more than one in 280 million.
    return String(digest.readUIntBE(0, 6) % 10 ** DIGITS).padStart(DIGITS, "0");
  }
}
