import type { Clock, Limits, MethodType } from "../core/nouns.js";
import type { Keys } from "../crypto/key-provider.js";
import type { EmitAudit, EmitError } from "../events/emitter.js";
import type { AccountRecords } from "./account-records.js";
import type { AddressLimit } from "./address-limit.js";
import type { ChallengeStore } from "./challenges.js";
import type { CredentialIndex } from "./credential-index.js";
import type { KnownBrowsers } from "./known-browsers.js";
import type { LoginUses } from "./logins.js";
import type { AnyMethod } from "./method.js";
import type { Noticing } from "./noticing.js";
import type { SendBudgets } from "./send-budgets.js";
import type { TrustedDevices } from "./trusted-devices.js";

/** What every piece of the engine is wired from. Built once, in the composition root. */
export interface EngineDependencies {
  readonly clock: Clock;
  readonly keys: Keys;
  readonly records: AccountRecords;
  readonly limits: Limits;
  readonly methods: ReadonlyMap<MethodType, AnyMethod>;
  /** The method that makes look-up secrets. Undefined where the application does without. */
  readonly backupCodes: (AnyMethod & Required<Pick<AnyMethod, "mint">>) | undefined;
  /** Undefined where the application does without. */
  readonly devices: TrustedDevices | undefined;
  readonly challenges: ChallengeStore;
  readonly credentials: CredentialIndex;
  readonly addressLimit: AddressLimit;
  readonly budgets: SendBudgets;
  readonly uses: LoginUses;
  /** A login is complete only once the application has done what it does with new ones. */
  readonly opensLogins: boolean;
  /** Undefined where owners are told nothing. */
  readonly noticing: Noticing | undefined;
  /** Undefined where nobody would hear of new ones, and nothing is decided by them. */
  readonly browsers: KnownBrowsers | undefined;
  /** Whoever has lost every factor has a way back. */
  readonly hasRecovery: boolean;
  readonly emitAudit: EmitAudit;
  readonly emitError: EmitError;
}
