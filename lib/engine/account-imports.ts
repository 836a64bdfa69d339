import { type Account, type Factor, isTombstone, TOMBSTONE_LIFE } from "../core/account.js";
import { hasRoom, MOST_FACTORS } from "../core/account-changes.js";
import { MAX_REASON, withDeskDone } from "../core/help-desk.js";
import type { MethodType, UserId } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { isFuture } from "../core/time.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import type { EngineDependencies } from "./dependencies.js";
import type { ImportTerms } from "./method.js";
import { type FactorView, factorView } from "./views.js";

/** Who acts, for the audit trail. */
export interface ActorOptions {
  /** Default: `"system"`. Name the operator, such as `"admin:42"`. */
  readonly actor?: string;
}

export interface ImportTotpOptions extends ActorOptions {
  /** A base32 secret, or a whole `otpauth://totp/` URI. */
  readonly secret: string;
  /** What its owner calls it, up to 64 characters. Default: `"Authenticator app"`. */
  readonly label?: string;
  /**
   * Takes over secrets of 80 to 127 bits too, as older systems made them; the answer and the event say so, and their owners are best
   * asked to enroll anew. Default: false, they are refused.
   */
  readonly allowShortSecret?: boolean;
}

/** Something that the application itself has shown to be its user's. */
interface VerifiedOptions extends ActorOptions {
  /** When that was shown: a `Date`, milliseconds since the epoch, or ISO 8601 text. It must be given, and not lie ahead. */
  readonly verifiedAt: Date | number | string;
  /** What its owner calls it, up to 64 characters. Default: `"E-mail"`, `"Text message"`. */
  readonly label?: string;
}

export interface EnrollEmailOptions extends VerifiedOptions {
  /** One e-mail address. */
  readonly address: string;
}

export interface EnrollPhoneOptions extends VerifiedOptions {
  /** A mobile number with its country, such as `"+49 151 23456789"`. */
  readonly phone: string;
}

/** A factor that was taken over. */
export interface ImportedFactorView extends FactorView {
  /** What was accepted only because it had to be: `"short-secret"`. Absent: nothing. */
  readonly warnings?: readonly string[];
}

/** What an edit makes of an account, and what it did. */
export interface Edited {
  readonly account: Account;
  readonly events: readonly AccountEvent[];
}

interface Importing extends ActorOptions, ImportTerms {
  readonly source: string;
  readonly label?: string | undefined;
}

/** Why somebody of the staff does something, fit for a line of the audit trail. */
export function statedBy(reason: string | undefined): { readonly stated?: string } {
  const stated = cleanText(reason ?? "", MAX_REASON);
  return stated === "" ? {} : { stated };
}

/** As {@link statedBy}, of what is told without a change. */
export function reasonBy(given: string | undefined): { readonly reason?: string } {
  const { stated } = statedBy(given);
  return stated === undefined ? {} : { reason: stated };
}

/** Factors that come from elsewhere, and how every operation without a request changes an account. */
export abstract class AccountImports {
  constructor(protected readonly dependencies: EngineDependencies) {}

  /**
   * Takes over an authenticator from another system. The user's codes go on working; logins by password alone are challenged
   * from now on, and no browser is trusted any more. The secret is taken as it was copied: grouped, padded, in capitals or not, its
   * URI with empty parameters. Codes of 6 or 8 digits, SHA-1, SHA-256 or SHA-512, 30 or 60 seconds.
   * @throws TypeError with the reason when the secret is weak, malformed, or already enrolled, or the user has too many factors.
   *
   * @example
   * ```ts
   * for (const { id, otpauthUri } of oldUsers) {
   *   const terms = { allowShortSecret: true, actor: "migration" };
   *   const { warnings = [] } = await mfa.accounts.importTotp(id, { secret: otpauthUri, label: "Phone", ...terms });
   *   if (warnings.includes("short-secret")) log.warn(`User ${id} should enroll anew`);
   * }
   * ```
   */
  importTotp(userId: UserId, { label, secret, ...options }: ImportTotpOptions): Promise<ImportedFactorView> {
    return this.importFactor("totp", userId, { ...options, source: secret, label });
  }

  /**
   * Makes an address a factor that the application itself has verified, without a code from there. Logins by password alone are
   * challenged from now on, and no browser is trusted any more.
   *
   * Does NOT verify it: an address that only was typed somewhere lets its reader in.
   * @throws TypeError with the reason where it is none, or a factor already, or `verifiedAt` is missing or lies ahead
   *
   * @example
   * ```ts
   * // Whoever has this user's account opened the link that was mailed there.
   * const verified = { address: "ann@acme.example", verifiedAt: "2026-01-31T09:30:00Z" };
   * const factor = await mfa.accounts.enrollEmail(userId, { ...verified, actor: "migration" });
   * ```
   */
  async enrollEmail(userId: UserId, { address, ...options }: EnrollEmailOptions): Promise<ImportedFactorView> {
    return this.enrollVerified("email-code", userId, address, options);
  }

  /**
   * Makes a mobile number a factor that the application itself has verified, without a code sent there. Logins by password alone are
   * challenged from now on, and no browser is trusted any more.
   *
   * Does NOT verify it: a number that only was typed somewhere lets whoever has it in.
   * @throws TypeError with the reason where it is none, or a factor already, or `verifiedAt` is missing or lies ahead
   *
   * @example
   * ```ts
   * try {
   *   await mfa.accounts.enrollPhone(userId, { phone: "+49 151 23456789", verifiedAt: new Date("2026-01-31") });
   * } catch (error) {
   *   if (!(error instanceof TypeError)) throw error;
   *   log.warn(`Not taken over: ${error.message}`);
   * }
   * ```
   */
  async enrollPhone(userId: UserId, { phone, ...options }: EnrollPhoneOptions): Promise<ImportedFactorView> {
    return this.enrollVerified("sms-code", userId, phone, options);
  }

  private enrollVerified(
    type: MethodType,
    userId: UserId,
    source: string,
    { verifiedAt, ...options }: VerifiedOptions,
  ): Promise<ImportedFactorView> {
    if (isFuture(new Date(verifiedAt).getTime(), this.dependencies.clock()))
      throw new TypeError("verifiedAt lies ahead: nothing was verified yet");
    return this.importFactor(type, userId, { ...options, source });
  }

  private async importFactor(type: MethodType, userId: UserId, given: Importing): Promise<ImportedFactorView> {
    const { clock, keys, methods } = this.dependencies;
    const method = methods.get(type);
    if (method?.import === undefined) {
      throw new TypeError(`${type}() is not among the configured methods: the user could never use it`);
    }
    const [id, createdAt] = [randomId(), clock()];
    let factor: Factor | undefined;
    let warning: string | undefined;
    await this.edit(userId, given, async (account) => {
      if (!hasRoom(account)) {
        throw new TypeError(
          `This user has ${MOST_FACTORS} factors, with the backup codes: remove one to import another`,
        );
      }
      const imported = await method.import?.(given.source, account, { userId, now: createdAt, keys }, given);
      if (imported === undefined) return undefined;
      ({ warning } = imported);
      const label = cleanText(given.label ?? "", MAX_LABEL) || imported.label;
      factor = { id, type, label, createdAt, lastUsedAt: null, failures: 0, state: imported.state };
      const next = withDeskDone({ ...account, factors: [...account.factors, factor], devices: [] });
      const reason = warning === undefined ? {} : { reason: warning };
      return { account: next, events: [{ action: "factor-imported", method: type, factorId: id, label, ...reason }] };
    });
    if (factor === undefined) throw new TypeError(`Nothing was imported by ${type}()`);
    return { ...factorView(factor, methods), ...(warning !== undefined && { warnings: [warning] }) };
  }

  protected async edit(
    userId: UserId,
    { actor = "system", reason }: ActorOptions & { readonly reason?: string },
    make: (account: Account) => Edited | undefined | Promise<Edited | undefined>,
  ): Promise<boolean> {
    const { clock, credentials, records } = this.dependencies;
    const { record, result } = await records.change<boolean>({ userId, actor }, async ({ account }) => {
      const edited = await make(account);
      if (edited === undefined) return { result: false };
      const next = credentials.withRemoved(account, edited.account);
      const stated = statedBy(reason);
      const events = edited.events.map((event) => ({ ...stated, ...event }));
      // Whose sessions end anew after everything was forgotten is remembered for as long as those can last.
      const forgottenAt = clock() + TOMBSTONE_LIFE;
      return { events, account: isTombstone(next) ? { ...next, forgottenAt } : next, result: true };
    });
    if (result) await credentials.tidy(userId, record.account);
    return result;
  }
}
