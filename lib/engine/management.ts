import { type Account, type Factor, isEnrolled, liveDevice, type Login, ownFactors } from "../core/account.js";
import {
  closedFactors,
  reopenFactors,
  replaceFactor,
  startEpoch,
  withBackupCodes,
  withoutDevice,
  withoutFactor,
  withoutFactors,
} from "../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import { withFormerCodes } from "../core/former-codes.js";
import { isLive, removeLogin } from "../core/logins.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import { isSuspended, resumed } from "../core/reports.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { randomId } from "../crypto/random.js";
import { type AccountEvent, reopening, suspension } from "../events/audit.js";
import {
  changeProblem,
  EVER,
  factorProblem,
  FRESH,
  type Freshness,
  NOT_BY_BACKUP_CODE,
  probationProblem,
  removalProblem,
  restsOnBackupCode,
  stepUp,
  VERY_FRESH,
} from "../policy/access.js";
import type { SessionRecord } from "../policy/assess.js";
import { mustKeepFactor } from "../policy/grace.js";
import type { Change } from "./account-records.js";
import { madeBy } from "./activation.js";
import type { EngineDependencies } from "./dependencies.js";
import { isActing, listedLogin, type LoginContext, subjectOf, weighed } from "./login-context.js";
import type { Minted } from "./method.js";
import { endRecovery, recoveryGone } from "./recovery-ends.js";

/** What a change left: the session's new record, where every other login has ended. */
export interface Managed {
  /** The name of what it was made to. */
  readonly label?: string;
  readonly session?: SessionRecord;
}

/** A change that was allowed: the account to store, what to answer, what it did. */
interface Made<T> {
  readonly account: Account;
  readonly value: T;
  readonly event: AccountEvent | readonly AccountEvent[];
}

/** Why the change is not made; undefined where it may be. */
type Judge = (login: LoginContext, freshness: Freshness, now: number) => Problem | undefined;

type Make<T> = (login: LoginContext, now: number) => Outcome<Made<T>> | Promise<Outcome<Made<T>>>;

/** What owners do to their own account. Every change needs a fresh proof and ends in one conditional write. */
export class Management {
  constructor(private readonly dependencies: EngineDependencies) {}

  renameFactor(login: LoginContext, factorId: FactorId, label: string): Promise<Outcome<Factor>> {
    return this.changeFactors(login, FRESH, ({ record: { account } }) => {
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      const name = cleanText(label, MAX_LABEL);
      if (factor === undefined) return failure("not-found");
      if (name === "") return failure("invalid-request");
      const value: Factor = { ...factor, label: name };
      const facts = { before: factor.label };
      const event = { action: "factor-renamed", method: factor.type, factorId, label: name, facts };
      return success({ account: replaceFactor(account, value), value, event });
    });
  }

  /** Which kind of their factors the owner wants to be asked for first, whatever is the strongest. */
  preferMethod(login: LoginContext, type: MethodType): Promise<Outcome<Managed>> {
    return this.changeFactors(login, FRESH, ({ record: { account } }) => {
      const isThere = ownFactors(account).some((factor) => factor.type === type && !isSuspended(factor));
      if (!isThere) return failure("not-found");
      return success({ account: { ...account, preferred: type }, value: {}, event: [] });
    });
  }

  /** The last factor takes the backup codes with it; where the policy demands a factor, it stays (`last-factor`). */
  removeFactor(login: LoginContext, factorId: FactorId): Promise<Outcome<Managed>> {
    return this.removeFactors(login, (current, now) => {
      const { account } = current.record;
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      if (factor === undefined) return failure("not-found");
      const left = withoutFactor(account, factorId);
      if (!isEnrolled(left) && mustKeepFactor({ ...login, account }, now)) return failure("last-factor");
      const ended = recoveryGone({ before: account, after: left }, now, "settings");
      const event = [...ended, { action: "factor-removed", method: factor.type, factorId, label: factor.label }];
      const kept = isEnrolled(left) ? left : withFormerCodes(left, account);
      const { account: next, value } = this.alone(kept, current, now);
      return success({ account: next, value: { ...value, label: factor.label }, event });
    });
  }

  /** Switches the second factor off: every factor, backup code and trusted device goes. */
  disable(login: LoginContext): Promise<Outcome<Managed>> {
    return this.removeFactors(login, (current, now) => {
      const { account } = current.record;
      if (mustKeepFactor({ ...login, account }, now)) return failure("last-factor");
      const removed = ownFactors(account).map(({ id: factorId, label, type: method }): AccountEvent => {
        return { action: "factor-removed", reason: "disabled", method, factorId, label };
      });
      const left = withFormerCodes(withoutFactors(account), account);
      const event = [...recoveryGone({ before: account, after: left }, now, "settings"), ...removed];
      return success({ ...this.alone(left, current, now), event });
    });
  }

  /** A new set; the old one is dead. */
  regenerateBackupCodes(login: LoginContext): Promise<Outcome<Minted>> {
    return this.changeFactors(login, NOT_BY_BACKUP_CODE, async ({ record: { account } }, now) => {
      const { backupCodes, keys } = this.dependencies;
      if (backupCodes === undefined || !isEnrolled(account)) return failure("not-found");
      const value = madeBy(await backupCodes.mint({ userId: account.userId, now, keys }), listedLogin(login)?.id);
      const next = withBackupCodes(account, value.factor);
      return success({ account: next, value, event: { action: "backup-codes-regenerated" } });
    });
  }

  revokeDevice(login: LoginContext, deviceId: string): Promise<Outcome<Managed>> {
    return this.change(login, FRESH, ({ record: { account } }, now) => {
      const device = liveDevice(account, deviceId, now);
      if (device === undefined) return failure("not-found");
      const event = { action: "device-revoked", label: device.label };
      return success({ account: withoutDevice(account, deviceId), value: { label: device.label }, event });
    });
  }

  revokeAllDevices(login: LoginContext): Promise<Outcome<Managed>> {
    return this.change(login, FRESH, ({ record: { account } }) =>
      success({
        account: { ...account, devices: [] },
        value: {},
        event: { action: "device-revoked", reason: "all" },
      }),
    );
  }

  /** Ends every other login, and the trust in every browser. */
  revokeOtherSessions(login: LoginContext): Promise<Outcome<Managed>> {
    return this.change(login, FRESH, (current, now) =>
      success({ ...this.alone(current.record.account, current, now), event: { action: "sessions-revoked" } }),
    );
  }

  /** Opens what wrong answers have closed, for logins too: the owner saw what, and wants it back. */
  reopenFactors(login: LoginContext): Promise<Outcome<Managed>> {
    return this.change(login, FRESH, ({ record: { account } }) => {
      const event = closedFactors(account).map(reopening);
      return success({ account: event.length > 0 ? reopenFactors(account) : account, value: {}, event });
    });
  }

  /** A factor that a report has suspended is good again. No suspended one proves anything, so another has been proved for it. */
  resumeFactor(login: LoginContext, factorId: FactorId): Promise<Outcome<Managed>> {
    return this.changeFactors(login, NOT_BY_BACKUP_CODE, ({ record: { account } }) => {
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      if (factor === undefined) return failure("not-found");
      const value = { label: factor.label };
      if (!isSuspended(factor)) return success({ account, value, event: [] });
      const event = suspension("factor-resumed", factor);
      return success({ account: replaceFactor(account, resumed(factor)), value, event });
    });
  }

  /** Ends one login, wherever it is used. The trust in its browser stays: that is another list. */
  revokeSession(login: LoginContext, sessionId: string): Promise<Outcome<Managed>> {
    const { uses } = this.dependencies;
    return this.change(login, FRESH, ({ record: { account } }, now) => {
      const isListed = (each: Login): boolean => isLive(account, each, now, uses.get(each.id));
      const ended = account.logins.find((each) => each.id === sessionId && isListed(each));
      if (ended === undefined) return failure("not-found");
      const event = { action: "session-revoked", label: ended.label };
      return success({ account: removeLogin(account, ended), value: { label: ended.label }, event });
    });
  }

  /** Ends a recovery that is under way. It weakens nothing, so a login that is verified will do. */
  async cancelRecovery(login: LoginContext): Promise<Outcome<undefined>> {
    const { records } = this.dependencies;
    const { result } = await records.change<Outcome<undefined>>(subjectOf(login), (current, now) => {
      const { account } = current;
      const asking = weighed(login, current, now);
      if (isActing(asking)) return { result: failure("acting-login") };
      if (asking.status.status !== "verified") return { result: failure("second-factor-required") };
      const ended = endRecovery(account, now, "settings");
      if (ended.events.length === 0) return { result: failure("expired") };
      return { ...ended, result: success(undefined) };
    });
    return result;
  }

  /** Whether there is a way back for whoever has lost every factor. Without one, none is under way either. */
  refuseRecovery(login: LoginContext, refuses: boolean): Promise<Outcome<Managed>> {
    return this.change(login, VERY_FRESH, ({ record: { account } }, now) => {
      const { refusesRecovery = false, ...asked } = account;
      if (refusesRecovery === refuses) return success({ account, value: {}, event: [] });
      if (!refuses) return success({ account: asked, value: {}, event: { action: "recovery-opted-in" } });
      // Where somebody else has come in by a recovery, the owner needs one to come back.
      const early = probationProblem(account, now);
      if (early !== undefined) return { ok: false, problem: early };
      const ended = endRecovery(account, now, "settings");
      const event = [...ended.events, { action: "recovery-opted-out" }];
      return success({ account: { ...ended.account, refusesRecovery: true }, value: {}, event });
    });
  }

  /** The owner is not to be offered a passkey again; adding one stays open to them. */
  async declinePasskeys(login: LoginContext): Promise<Outcome<undefined>> {
    const { records } = this.dependencies;
    const { result } = await records.change<Outcome<undefined>>(subjectOf(login), (current, now) => {
      const asking = weighed(login, current, now);
      if (asking.status.status !== "verified") return { result: failure("second-factor-required") };
      // Whoever may set none up has nothing to decline.
      if (changeProblem(asking, EVER, now) !== undefined) return { result: { ok: false, problem: stepUp(FRESH) } };
      return { account: { ...current.account, declinesPasskeys: true }, result: success(undefined) };
    });
    return result;
  }

  /** A new epoch in which this login alone goes on. */
  private alone(account: Account, login: LoginContext, now: number): { account: Account; value: Managed } {
    const { session } = login;
    const own = listedLogin(login);
    const kept = own && !isEnrolled(account) ? withoutProofs(login, own, now) : own;
    const next = startEpoch(account, randomId(), kept);
    return { account: next, value: session === undefined ? {} : { session: { ...session, epoch: next.sessionEpoch } } };
  }

  /** What is done to factors, which may be frozen. */
  private changeFactors<T>(login: LoginContext, freshness: Freshness, make: Make<T>): Promise<Outcome<T>> {
    return this.change(login, freshness, make, factorProblem);
  }

  /** What takes factors out. */
  private removeFactors<T>(login: LoginContext, make: Make<T>): Promise<Outcome<T>> {
    return this.change(login, VERY_FRESH, make, removalProblem);
  }

  private async change<T>(
    login: LoginContext,
    freshness: Freshness,
    make: Make<T>,
    judge: Judge = changeProblem,
  ): Promise<Outcome<T>> {
    const { credentials, records } = this.dependencies;
    const { record, result } = await records.change<Outcome<T>>(
      subjectOf(login),
      (current, now) => {
        const asking = weighed(login, current, now);
        const problem = judge(asking, freshness, now);
        return problem === undefined ? this.make(asking, make, now) : { result: { ok: false, problem } };
      },
      login.record,
    );
    if (result.ok) await credentials.tidy(login.userId, record.account);
    return result;
  }

  private async make<T>(login: LoginContext, make: Make<T>, now: number): Promise<Change<Outcome<T>>> {
    const made = await make(login, now);
    if (!made.ok) return { result: made };
    const { account, event, value } = made.value;
    const next = this.dependencies.credentials.withRemoved(login.record.account, account);
    return { account: next, result: success(value), events: [event].flat() };
  }
}

/** What was proved is gone with the last factor, and must not count for one that comes later; that it was little, does. */
function withoutProofs(asker: LoginContext, login: Login, now: number): Login {
  return { ...login, proofs: [], ...(restsOnBackupCode(asker, login, now) && { onBackupCode: true }) };
}
