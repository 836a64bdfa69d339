import {
  type Account,
  addActivity,
  emptyAccount,
  type Factor,
  factorsOf,
  isEnrolled,
  ownFactors,
  startGeneration,
} from "../core/account.js";
import type { ErrorCode } from "../core/errors.js";
import { BACKUP_CODE, type Client, DAY, type FactorId, type MethodType, type UserId } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { randomId } from "../crypto/random.js";
import type { AuditAction } from "../events/audit.js";
import type { Details } from "../events/emitter.js";
import { isCodeMethod } from "../methods/contract.js";
import { checkTotpSecret, hasTotpSecret, totpState, type TotpState } from "../methods/totp.js";
import type { Parts } from "./parts.js";
import type { PasskeyOwners } from "./passkey-owners.js";
import { isDisabled, type Verification } from "./verification.js";
import { backupCodesView, type FactorView, factorView, type SettingsView, settingsView } from "./views.js";

const TOMBSTONE_LIFE = 30 * DAY;

/** Who acts, for the audit trail. */
export interface ActorOptions {
  /** Default: `"system"`. Name the operator, such as `"admin:42"`. */
  readonly actor?: string;
}

export interface AccountStatus {
  /** A factor of the user's own exists, so logins are challenged. */
  readonly enrolled: boolean;
  /** Kinds of factor the user has, backup codes among them. */
  readonly methods: readonly MethodType[];
  readonly backupCodesRemaining: number;
  /** Factors that too many wrong answers in a row have disabled. */
  readonly disabled: readonly FactorId[];
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

export interface ImportTotpOptions extends ActorOptions {
  /** A base32 secret, or a whole `otpauth://totp/` URI. */
  readonly secret: string;
  /** What its owner calls it, up to 64 characters. Default: `"Authenticator app"`. */
  readonly label?: string;
}

export interface PasswordChangedOptions extends ActorOptions {
  /** Also end every login, the present one too. Default: false. */
  readonly signOut?: boolean;
}

interface Edit {
  readonly action: AuditAction;
  readonly options: ActorOptions;
  readonly details?: Details;
}

/**
 * What an application does to a user's second factors from its own code: no request, no session, no proof. Whoever may call
 * these decides; the library only writes down who did. An unknown user is one without factors.
 *
 * All of them reject with `UnavailableError` where the store or the keys do not answer. The change may have been made all the
 * same; asking for it again does no harm.
 */
export class Accounts {
  constructor(
    private readonly parts: Parts,
    private readonly verification: Verification,
    private readonly owners: PasskeyOwners,
  ) {}

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
    const { account } = await this.parts.records.read(userId);
    const methods = [...this.parts.methods.keys()].filter((type) => factorsOf(account, type).length > 0);
    const disabled = account.factors.filter(isDisabled).map(({ id }) => id);
    const { remaining } = backupCodesView(account);
    return { enrolled: isEnrolled(account), methods, backupCodesRemaining: remaining, disabled };
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
    const { account } = await this.parts.records.read(userId);
    return ownFactors(account).map((factor) => factorView(factor, this.parts.methods));
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
    const codeMethod = this.parts.methods.get(method);
    if (!isCodeMethod(codeMethod)) return { ok: false, code: "not-found" };
    const normalized = typeof code === "string" ? codeMethod.normalize(code) : undefined;
    if (normalized === undefined) return { ok: false, code: "invalid-request" };
    const outcome = await this.verification.attempt<undefined>({
      attempter: { userId, address: client.ip },
      subject: { userId, actor, client },
      method: codeMethod,
      prove: (factors, context) => codeMethod.verify(normalized, factors, context),
      admit: () => undefined,
      complete: async (account) => ({ account, value: undefined }),
    });
    if (outcome.ok) {
      const { proof } = outcome.value;
      const action = method === BACKUP_CODE ? "backup-code-used" : "factor-verified";
      this.parts.tell(action, { userId, actor, client }, { method, factorId: proof.factorId });
      return { ok: true, method, factorId: proof.factorId };
    }
    const { code: reason, retryAfter } = outcome.problem;
    return { ok: false, code: reason, ...(retryAfter === undefined ? {} : { retryAfter }) };
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
  removeFactor(userId: UserId, factorId: FactorId, options: ActorOptions = {}): Promise<boolean> {
    return this.edit(userId, { action: "factor-removed", options, details: { factorId } }, async (account) => {
      const factor = ownFactors(account).find(({ id }) => id === factorId);
      if (factor === undefined) return undefined;
      const others = account.factors.filter(({ id }) => id !== factorId);
      const left = ownFactors({ ...account, factors: others }).length === 0 ? [] : others;
      return startGeneration({ ...account, factors: left }, randomId());
    });
  }

  /**
   * Removes every factor, backup code and trusted device, and ends every login. Answers whether there was anything. The
   * password alone opens the account then, unless the policy asks for more.
   *
   * @example
   * ```ts
   * const wasEnrolled = await mfa.accounts.reset(userId, { actor: "admin:42" });
   * ```
   */
  reset(userId: UserId, options: ActorOptions = {}): Promise<boolean> {
    return this.edit(userId, { action: "admin-reset", options }, async (account) =>
      account.factors.length === 0 ? undefined : startGeneration({ ...account, factors: [] }, randomId()),
    );
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
  async regenerateBackupCodes(userId: UserId, options: ActorOptions = {}): Promise<readonly string[] | undefined> {
    const { backupCodes, keys, clock } = this.parts;
    let codes: readonly string[] | undefined;
    await this.edit(userId, { action: "backup-codes-regenerated", options }, async (account) => {
      codes = undefined;
      if (backupCodes === undefined || !isEnrolled(account)) return undefined;
      const minted = await backupCodes.mint({ userId, now: clock(), keys });
      codes = minted.codes;
      return { ...account, factors: [...ownFactors(account), minted.factor] };
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
  revokeDevices(userId: UserId, options: ActorOptions = {}): Promise<boolean> {
    return this.edit(userId, { action: "device-revoked", options, details: { reason: "all" } }, async (account) =>
      account.devices.length === 0 ? undefined : { ...account, devices: [] },
    );
  }

  /**
   * Ends every login and all trust in browsers, of users without factors too.
   *
   * @example
   * ```ts
   * await mfa.accounts.signOutEverywhere(userId, { actor: "fraud-detection" });
   * ```
   */
  async signOutEverywhere(userId: UserId, options: ActorOptions = {}): Promise<void> {
    await this.edit(userId, { action: "signed-out-everywhere", options }, async (account) =>
      startGeneration(account, randomId()),
    );
  }

  /**
   * To be called when the password changed: trusted devices are void, and with `signOut` every login ends. Factors stay.
   *
   * @example
   * ```ts
   * await users.setPassword(userId, password);
   * await mfa.accounts.passwordChanged(userId, { signOut: true });
   * ```
   */
  async passwordChanged(userId: UserId, options: PasswordChangedOptions = {}): Promise<void> {
    const changed = await this.edit(userId, { action: "password-changed", options }, async (account) => {
      if (options.signOut === true) return startGeneration(account, randomId());
      return account.devices.length === 0 ? undefined : { ...account, devices: [] };
    });
    if (!changed) this.parts.tell("password-changed", { userId, actor: options.actor ?? "system" });
  }

  /**
   * Takes over an authenticator from another system. The user's codes go on working; logins by password alone are challenged
   * from now on, and no browser is trusted any more.
   * @throws TypeError with the reason when the secret is weak, malformed, or already enrolled.
   *
   * @example
   * ```ts
   * for (const { id, otpauthUri } of oldUsers) {
   *   await mfa.accounts.importTotp(id, { secret: otpauthUri, label: "Phone", actor: "migration" });
   * }
   * ```
   */
  async importTotp(userId: UserId, options: ImportTotpOptions): Promise<FactorView> {
    const imported = checkTotpSecret(options.secret);
    const { clock, keys, methods } = this.parts;
    if (!methods.has("totp"))
      throw new TypeError("totp() is not among the configured methods: the user could never use it");
    const now = clock();
    const state = await totpState(imported, { userId, now, keys });
    const label = cleanText(options.label ?? "", MAX_LABEL) || "Authenticator app";
    const factor: Factor = {
      id: randomId(),
      type: "totp",
      label,
      createdAt: now,
      lastUsedAt: null,
      failures: 0,
      state,
    };
    const details = { method: "totp" as const, factorId: factor.id };
    await this.edit(userId, { action: "factor-imported", options, details }, async (account) => {
      const known = factorsOf(account, "totp") as readonly Factor<TotpState>[];
      if (await hasTotpSecret(imported, known, { userId, now, keys })) {
        throw new TypeError("This TOTP secret is already enrolled for this user");
      }
      return { ...account, factors: [...account.factors, factor], devices: [] };
    });
    return factorView(factor, methods);
  }

  /**
   * Everything kept about the user that is not a secret, for a request of access (GDPR article 15).
   *
   * @example
   * ```ts
   * const file = JSON.stringify(await mfa.accounts.export(userId), null, 2);
   * ```
   */
  async export(userId: UserId): Promise<SettingsView> {
    const { account } = await this.parts.records.read(userId);
    return settingsView(account, this.parts.methods, {
      loginId: undefined,
      deviceId: undefined,
      now: this.parts.clock(),
    });
  }

  /**
   * Forgets everything about the user. Answers whether there was anything. For 30 days a mark without any detail stays, so that
   * no session from before becomes worth something again; attempt counters run out by themselves.
   *
   * @example
   * ```ts
   * await users.remove(userId);
   * await mfa.accounts.erase(userId, { actor: "deletion-job" });
   * ```
   */
  async erase(userId: UserId, { actor = "system" }: ActorOptions = {}): Promise<boolean> {
    const { clock, records, tell } = this.parts;
    const tombstone = { ...emptyAccount(userId), generation: randomId() };
    const erased = await records.replace(userId, tombstone, clock() + TOMBSTONE_LIFE);
    if (erased === undefined) return false;
    await this.owners.releaseFactors(erased.factors, userId);
    if (erased.handle !== undefined) await this.owners.releaseHandle(erased.handle, userId);
    tell("account-erased", { userId, actor });
    return true;
  }

  private async edit(
    userId: UserId,
    { action, options, details }: Edit,
    make: (account: Account) => Promise<Account | undefined>,
  ): Promise<boolean> {
    const { actor = "system" } = options;
    const gone = await this.parts.records.update<readonly Factor[] | undefined>(userId, async (account) => {
      const next = await make(account);
      if (next === undefined) return { result: undefined };
      const kept = new Set(next.factors.map(({ id }) => id));
      const removed = account.factors.filter(({ id }) => !kept.has(id));
      return { account: addActivity(next, { at: this.parts.clock(), action }), result: removed };
    });
    if (gone === undefined) return false;
    this.parts.tell(action, { userId, actor }, details);
    await this.owners.releaseFactors(gone, userId);
    return true;
  }
}
