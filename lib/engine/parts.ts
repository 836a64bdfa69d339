import type { Clock, MethodType } from "../core/nouns.js";
import type { Keys } from "../crypto/key-provider.js";
import type { TrustedDevices } from "../devices/trusted-devices.js";
import type { Tell } from "../events/emitter.js";
import type { AttemptLimits } from "../limits/attempts.js";
import type { BackupCodesMethod } from "../methods/backup-codes.js";
import type { Method } from "../methods/contract.js";
import type { AccountRecords } from "./records.js";

/** The parts every piece of the engine is wired from. Built once, in the composition root. */
export interface Parts {
  readonly clock: Clock;
  readonly keys: Keys;
  readonly records: AccountRecords;
  readonly limits: AttemptLimits;
  readonly methods: ReadonlyMap<MethodType, Method>;
  /** Undefined where the application does without. */
  readonly backupCodes: BackupCodesMethod | undefined;
  /** Undefined where the application does without. */
  readonly devices: TrustedDevices | undefined;
  readonly tell: Tell;
}
