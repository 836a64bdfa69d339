import {
  type Account,
  addActivity,
  type Factor,
  liveDevice,
  ownFactors,
  replaceFactor,
  startGeneration,
  withoutDevice,
} from "../core/account.js";
import { failure, type Outcome, success } from "../core/errors.js";
import { BACKUP_CODE, type FactorId } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { randomId } from "../crypto/random.js";
import type { AuditAction } from "../events/audit.js";
import type { Details } from "../events/emitter.js";
import { FRESH, type Freshness, VERY_FRESH } from "../policy/access.js";
import type { Mark } from "../policy/assess.js";
import type { Parts } from "./parts.js";
import type { PasskeyOwners } from "./passkey-owners.js";
import type { Change } from "./records.js";
import { changeRefusal, standingOf, subjectOf, type Visitor } from "./visitor.js";

/** What a change left: the session's new mark, where every other login has ended. */
export interface Managed {
  readonly mark?: Mark;
}

/** A change that was allowed: the account to store, what to answer, what to tell. */
interface Made<T> {
  readonly account: Account;
  readonly value: T;
  readonly action: AuditAction;
  readonly details?: Details;
  /** Factors the change removed. */
  readonly gone?: readonly Factor[];
}

type Make<T> = (account: Account, now: number) => Promise<Outcome<Made<T>>>;

/** Proofs by backup code do not show or make backup codes: one stolen slip of paper must not become ten. */
const NOT_BY_BACKUP_CODE: Freshness = { ...FRESH, except: BACKUP_CODE };

/** What owners do to their own account. Every change needs a fresh proof and ends in one conditional write. */
export class Management {
  constructor(
    private readonly parts: Parts,
    private readonly owners: PasskeyOwners,
  ) {}

  renameFactor(visitor: Visitor, factorId: FactorId, label: string): Promise<Outcome<Factor>> {
    return this.change(visitor, FRESH, async (account) => {
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      const name = cleanText(label, MAX_LABEL);
      if (factor === undefined) return failure("not-found");
      if (name === "") return failure("invalid-request");
      const value: Factor = { ...factor, label: name };
      const details = { method: factor.type, factorId };
      return success({ account: replaceFactor(account, value), value, action: "factor-renamed" as const, details });
    });
  }

  /** The last factor takes the backup codes with it; where the policy demands a factor, it stays (`last-factor`). */
  removeFactor(visitor: Visitor, factorId: FactorId): Promise<Outcome<Managed>> {
    return this.change(visitor, VERY_FRESH, async (account, now) => {
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      if (factor === undefined) return failure("not-found");
      const others = account.factors.filter(({ id }) => id !== factorId);
      const isLast = ownFactors({ ...account, factors: others }).length === 0;
      if (isLast && visitor.decision === "required") return failure("last-factor");
      const entry = { at: now, action: "factor-removed", method: factor.type, label: factor.label };
      const left = addActivity({ ...account, factors: isLast ? [] : others }, entry);
      const details = { method: factor.type, factorId };
      return success({ ...this.alone(left, visitor, now), action: "factor-removed" as const, details, gone: [factor] });
    });
  }

  /** Switches the second factor off: every factor, backup code and trusted device goes. */
  disable(visitor: Visitor): Promise<Outcome<Managed>> {
    return this.change(visitor, VERY_FRESH, async (account, now) => {
      if (visitor.decision === "required") return failure("last-factor");
      const off = addActivity({ ...account, factors: [] }, { at: now, action: "factor-removed" });
      return success({
        ...this.alone(off, visitor, now),
        action: "factor-removed" as const,
        details: { reason: "disabled" },
        gone: account.factors,
      });
    });
  }

  /** A new set; the old one is dead. */
  regenerateBackupCodes(visitor: Visitor): Promise<Outcome<readonly string[]>> {
    return this.change(visitor, NOT_BY_BACKUP_CODE, async (account, now) => {
      const { backupCodes, keys } = this.parts;
      if (backupCodes === undefined || ownFactors(account).length === 0) return failure("not-found");
      const { codes, factor } = await backupCodes.mint({ userId: account.userId, now, keys });
      const next = addActivity(
        { ...account, factors: [...ownFactors(account), factor] },
        { at: now, action: "backup-codes-regenerated" },
      );
      return success({ account: next, value: codes, action: "backup-codes-regenerated" as const });
    });
  }

  revokeDevice(visitor: Visitor, deviceId: string): Promise<Outcome<Managed>> {
    return this.change(visitor, FRESH, async (account, now) => {
      if (liveDevice(account, deviceId, now) === undefined) return failure("not-found");
      return success({ account: withoutDevice(account, deviceId), value: {}, action: "device-revoked" as const });
    });
  }

  revokeAllDevices(visitor: Visitor): Promise<Outcome<Managed>> {
    return this.change(visitor, FRESH, async (account) =>
      success({
        account: { ...account, devices: [] },
        value: {},
        action: "device-revoked" as const,
        details: { reason: "all" },
      }),
    );
  }

  /** Ends every other login, and the trust in every browser. */
  revokeOtherSessions(visitor: Visitor): Promise<Outcome<Managed>> {
    return this.change(visitor, FRESH, async (account, now) => {
      const noted = addActivity(account, { at: now, action: "sessions-revoked" });
      return success({ ...this.alone(noted, visitor, now), action: "sessions-revoked" as const });
    });
  }

  /** A new generation in which this login alone goes on. */
  private alone(account: Account, visitor: Visitor, now: number): { account: Account; value: Managed } {
    const { mark } = visitor;
    const standing = standingOf(visitor, account, now);
    const own = account.logins.find(({ id }) => id === mark?.id);
    // What was proved is gone with the last factor; it must not count for one that comes later.
    const listed = own && ownFactors(account).length === 0 ? { ...own, proofs: [] } : own;
    const next = startGeneration(account, randomId(), standing.status === "ended" ? undefined : listed);
    return { account: next, value: mark === undefined ? {} : { mark: { ...mark, generation: next.generation } } };
  }

  private async change<T>(visitor: Visitor, freshness: Freshness, make: Make<T>): Promise<Outcome<T>> {
    const { clock, records, tell } = this.parts;
    const outcome = await records.update<Outcome<Made<T>>>(
      visitor.userId,
      (account) => this.tryOnce(account, visitor, freshness, make, clock()),
      visitor.known,
    );
    if (!outcome.ok) return outcome;
    const { action, details, gone = [], value } = outcome.value;
    tell(action, subjectOf(visitor), details);
    await this.owners.releaseFactors(gone, visitor.userId);
    return success(value);
  }

  private async tryOnce<T>(
    account: Account,
    visitor: Visitor,
    freshness: Freshness,
    make: Make<T>,
    now: number,
  ): Promise<Change<Outcome<Made<T>>>> {
    const problem = changeRefusal(visitor, account, now, freshness);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const made = await make(account, now);
    return made.ok ? { account: made.value.account, result: made } : { result: made };
  }
}
