import { emptyAccount, factorsOf, isEnrolled, ownFactors, TOMBSTONE_LIFE } from "../core/account.js";
import {
  closedFactors,
  reopenFactors,
  startEpoch,
  withBackupCodes,
  withDevicesAsked,
  withLooseClaims,
  withoutGrace,
  withoutFactor,
} from "../core/account-changes.js";
import type { ErrorCode, Problem } from "../core/errors.js";
import { endUnmarked } from "../core/logins.js";
import { type Client, type FactorId, type MethodType, type UserId } from "../core/nouns.js";
import { voidPasses } from "../core/passes.js";
import { withoutFreeze } from "../core/reports.js";
import { randomId } from "../crypto/random.js";
import { lifting, reopening, resumedAsking } from "../events/audit.js";
import { type AccountExport, exported } from "./account-export.js";
import { AccountDesk, type DeskSettings, type StaffOptions } from "./account-desk.js";
import { type ActorOptions, reasonBy } from "./account-imports.js";
import { sessionTime } from "./account-records.js";
import { countedFor } from "./address-limit.js";
import type { EngineDependencies } from "./dependencies.js";
import { endRecovery, recoveryGone } from "./recovery-ends.js";
import type { Verification } from "./verification.js";
import { backupCodesView, type FactorView, factorView, frozenView } from "./views.js";

export interface AccountStatus {
  /** A factor of the user's own exists, so logins are challenged. */
  readonly enrolled: boolean;
  /** Kinds of factor the user has, backup codes among them. */
  readonly methods: readonly MethodType[];
  readonly backupCodesRemaining: number;
  /** Factors that too many wrong answers in a row have disabled. */
  readonly disabled: readonly FactorId[];
  /** Factors that prove nothing since their owner reported what was not them. Absent: none. */
  readonly suspended?: readonly FactorId[];
  /** Until then the owner can set up, change and remove no factor. ISO 8601, UTC; absent: they can. */
  readonly frozenUntil?: string;
  /** No device is asked to approve since its owner answered "this wasn't me", until another kind of factor is used. Absent: they are. */
  readonly pushPaused?: true;
}

export interface VerifyOptions extends ActorOptions {
  readonly method: MethodType;
  /** As the user gave it: spaces, hyphens and case are forgiven as on the pages. */
  readonly code: string;
  /** Where the code came from; with an `ip` the address limit counts too. */
  readonly client?: Client;
}

export type VerifyResult =
  | { readonly ok: true; readonly method: MethodType; readonly factorId: FactorId }
  | { readonly ok: false; readonly code: ErrorCode; /** Whole seconds. */ readonly retryAfter?: number };

export interface PasswordChangedOptions extends ActorOptions {
  /** Also end every login, the present one too. Default: false. */
  readonly signOut?: boolean;
  /** Also open what too many wrong answers have closed. Default: false. */
  readonly reopen?: boolean;
}

function failed({ code, retryAfter }: Problem): VerifyResult {
  return { ok: false, code, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/**
 * What an application does to a user's second factors from its own code: no request, no session, no proof. Whoever may call
 * these decides; the library only writes down who did. An unknown user is one without factors.
 *
 * All of them reject with `UnavailableError` where the store or the keys do not answer. The change may have been made all the
 * same; asking for it again does no harm.
 */
export class Accounts extends AccountDesk {
  constructor(
    dependencies: EngineDependencies,
    private readonly verification: Verification,
    desk: DeskSettings | undefined,
  ) {
    super(dependencies, desk);
  }

  /**
   * What a user has, in numbers: for lists and reminders.
   *
   * @example
   * ```ts
   * const { enrolled, backupCodesRemaining } = await mfa.accounts.status(userId);
   * const isRunningOut = enrolled && backupCodesRemaining < 3;
   * ```
   */
  async status(userId: UserId): Promise<AccountStatus> {
    const { clock, methods, records } = this.dependencies;
    const { account } = await records.read(userId);
    const disabled = closedFactors(account).map(({ id }) => id);
    const { remaining } = backupCodesView(account, methods);
    return {
      enrolled: isEnrolled(account),
      methods: [...methods.keys()].filter((type) => factorsOf(account, type).length > 0),
      backupCodesRemaining: remaining,
      disabled,
      ...frozenView(account, clock()),
    };
  }

  /**
   * The factors a user has set up, in the order they were added: no backup codes and nothing secret. Times are ISO 8601, UTC.
   *
   * @example
   * ```ts
   * const factors = await mfa.accounts.factors(userId);
   * const lines = factors.map(({ label, lastUsedAt }) => `${label}, last used ${lastUsedAt ?? "never"}`);
   * ```
   */
  async factors(userId: UserId): Promise<readonly FactorView[]> {
    const { methods, records } = this.dependencies;
    const { account } = await records.read(userId);
    return ownFactors(account).map((factor) => factorView(factor, methods));
  }

  /**
   * Verifies and uses up a code, under the limits of the routes. `retryAfter` is in whole seconds. Does NOT sign anybody in, and
   * does NOT take passkeys.
   *
   * @example
   * ```ts
   * // The help desk asks the caller for the code on their phone.
   * const result = await mfa.accounts.verify(userId, { method: "totp", code, actor: "support:7" });
   * if (!result.ok) log.warn(`Not verified: ${result.code}`);
   * ```
   */
  async verify(userId: UserId, { method, code, actor = "system", client = {} }: VerifyOptions): Promise<VerifyResult> {
    const { addressLimit, challenges, methods, records } = this.dependencies;
    const known = methods.get(method);
    if (known?.refusal !== "invalid-code") return { ok: false, code: "not-found" };
    const site = { origins: [], issuer: "" };
    const { account } = await records.read(userId);
    const presented = await known.present({ code }, { site, challenges, login: undefined, account });
    if (presented === undefined) return { ok: false, code: "invalid-request" };
    const retryAfter = await addressLimit.secondsToWait(client.ip, userId);
    if (retryAfter !== undefined) return { ok: false, code: "too-many-attempts", retryAfter };
    const outcome = await this.verification.verify({ userId, actor, client }, { method: known, presented });
    if (outcome.ok) return { ok: true, method, factorId: outcome.value.factorId };
    return failed(await countedFor(addressLimit, client.ip, userId, outcome.problem));
  }

  /**
   * Answers whether the factor was there. The last one takes the backup codes with it; every login ends.
   *
   * @example
   * ```ts
   * const factors = await mfa.accounts.factors(userId);
   * const lost = factors.find(({ label }) => label === "Old phone");
   * if (lost !== undefined) await mfa.accounts.removeFactor(userId, lost.id, { actor: "support:7" });
   * ```
   */
  removeFactor(userId: UserId, factorId: FactorId, options: StaffOptions = {}): Promise<boolean> {
    return this.edit(userId, options, (account) => {
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      if (factor === undefined) return undefined;
      const now = this.dependencies.clock();
      const left = startEpoch(withoutGrace(withoutFactor(account, factorId), now), randomId());
      const { label, type } = factor;
      const ended = recoveryGone({ before: account, after: left }, now, "reset");
      return { account: left, events: [...ended, { action: "factor-removed", method: type, factorId, label }] };
    });
  }

  /**
   * A new set in clear, for the one person it is for; the old set is dead. Undefined where nothing is enrolled.
   *
   * @example
   * ```ts
   * const codes = await mfa.accounts.regenerateBackupCodes(userId, { actor: "support:7" });
   * const letter = codes?.join("\n");
   * ```
   */
  async regenerateBackupCodes(userId: UserId, options: StaffOptions = {}): Promise<readonly string[] | undefined> {
    const { backupCodes, clock, keys } = this.dependencies;
    let codes: readonly string[] | undefined;
    await this.edit(userId, options, async (account) => {
      codes = undefined;
      if (backupCodes === undefined || !isEnrolled(account)) return undefined;
      const minted = await backupCodes.mint({ userId, now: clock(), keys });
      codes = minted.codes;
      const next = withBackupCodes(account, minted.factor);
      return { account: next, events: [{ action: "backup-codes-regenerated" }] };
    });
    return codes;
  }

  /**
   * Trusted browsers are challenged again; logins that rested on one end. Answers whether there were any.
   *
   * @example
   * ```ts
   * const hadTrustedBrowsers = await mfa.accounts.revokeDevices(userId, { actor: "support:7" });
   * ```
   */
  revokeDevices(userId: UserId, options: StaffOptions = {}): Promise<boolean> {
    return this.edit(userId, options, (account) => {
      if (account.devices.length === 0) return undefined;
      return { account: { ...account, devices: [] }, events: [{ action: "device-revoked", reason: "all" }] };
    });
  }

  /**
   * Ends every login and all trust in browsers, of users without factors too, and voids temporary passes.
   *
   * @example
   * ```ts
   * await mfa.accounts.signOutEverywhere(userId, { actor: "fraud-detection" });
   * ```
   */
  async signOutEverywhere(userId: UserId, options: StaffOptions = {}): Promise<void> {
    await this.edit(userId, options, (account) => ({
      account: startEpoch(voidPasses(account), randomId()),
      events: [{ action: "signed-out-everywhere" }],
    }));
  }

  /**
   * Opens every factor that too many wrong answers in a row have closed, lifts what a report ("this wasn't me") has frozen and
   * suspended, and has devices asked again that are not for now. Answers whether there was anything. Attempts that are counted in an
   * open window stay counted.
   *
   * @example
   * ```ts
   * // The caller has shown who they are, and somebody else has been guessing.
   * const wasClosed = await mfa.accounts.reopenFactors(userId, { actor: "support:7" });
   * ```
   */
  reopenFactors(userId: UserId, options: StaffOptions = {}): Promise<boolean> {
    return this.edit(userId, options, (account) => {
      const closed = closedFactors(account);
      const now = this.dependencies.clock();
      const events = [...closed.map(reopening), ...lifting(account, now), ...resumedAsking(account, now)];
      if (events.length === 0) return undefined;
      return { account: withDevicesAsked(withoutFreeze(reopenFactors(account))), events };
    });
  }

  /**
   * Ends a recovery that is under way, and tells the owner, but not why. Answers whether there was one. Does NOT keep another from being
   * asked for.
   * @throws ConfigurationError without `actor` and `reason`, or where the actor is the user
   *
   * @example
   * ```ts
   * // The owner is on the phone, has their authenticator, and did not ask for anything.
   * const wasUnderWay = await mfa.accounts.cancelRecovery(userId, { actor: "support:7", reason: "ticket 4711" });
   * ```
   */
  cancelRecovery(userId: UserId, options: Required<StaffOptions>): Promise<boolean> {
    return this.edit(userId, options, (account) => {
      const ended = endRecovery(account, this.dependencies.clock(), "staff");
      return ended.events.length === 0 ? undefined : ended;
    });
  }

  /**
   * To be called when the password changed, and before anybody is logged in with the new one: trusted devices are void, logins that wait
   * for their second factor are over (410 `expired`), and with `signOut` every login ends, with `reopen` closed factors open again.
   * Factors stay. Sessions that hold a login this middleware has not seen yet are over in any case. Does NOT end complete logins, nor a
   * recovery that is under way.
   *
   * @example
   * ```ts
   * await users.setPassword(userId, password);
   * await mfa.accounts.passwordChanged(userId, { signOut: true });
   * ```
   */
  async passwordChanged(userId: UserId, options: PasswordChangedOptions = {}): Promise<void> {
    const { reopen = false, signOut = false } = options;
    await this.edit(userId, options, (account) => {
      const closed = reopen ? closedFactors(account) : [];
      const opened = closed.length > 0 ? reopenFactors(account) : account;
      const next = signOut ? startEpoch(opened, randomId()) : { ...opened, devices: [], passwordEpoch: randomId() };
      // Who came by with the old password, and was not seen yet, comes too late.
      const ended = endUnmarked(next, this.dependencies.clock(), sessionTime());
      return { account: ended, events: [...closed.map(reopening), { action: "password-changed" }] };
    });
  }

  /**
   * Everything kept about the user that is not a secret, for a request of access (GDPR article 15). Does NOT hold what the application
   * keeps itself, nor why staff did something: that is in the audit trail.
   *
   * @example
   * ```ts
   * const file = JSON.stringify(await mfa.accounts.export(userId), null, 2);
   * ```
   */
  export(userId: UserId, { actor = "system", reason }: StaffOptions = {}): Promise<AccountExport> {
    return exported(this.dependencies, { userId, actor }, reasonBy(reason));
  }

  /**
   * Forgets everything about the user. Answers whether there was anything. For 30 days a mark without any detail stays, so that
   * no session from before becomes worth something again; attempt counters run out by themselves.
   *
   * Where it rejects midway, some of it may be left: asked for again it does the rest, and answers true.
   *
   * @example
   * ```ts
   * await users.remove(userId);
   * await mfa.accounts.erase(userId, { actor: "deletion-job" });
   * ```
   */
  async erase(userId: UserId, { actor = "system", reason }: StaffOptions = {}): Promise<boolean> {
    const { clock, credentials, emitAudit, records } = this.dependencies;
    // What the index holds of the user is written down with the mark until it is given up, so that none of it is left for ever.
    const erased = await records.replace(userId, (account) => {
      const mark = { ...emptyAccount(userId), sessionEpoch: randomId(), forgottenAt: clock() + TOMBSTONE_LIFE };
      return withLooseClaims(mark, [...credentials.claimsOf(account), ...(account.looseClaims ?? [])]);
    });
    if (erased === undefined) return false;
    await credentials.settle(userId, erased.looseClaims ?? []);
    emitAudit("account-erased", { userId, actor }, reasonBy(reason));
    return true;
  }
}
