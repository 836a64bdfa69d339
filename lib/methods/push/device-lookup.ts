import type { Account, Factor } from "../../core/account.js";
import { failure, type Outcome, success } from "../../core/errors.js";
import { type Clock, type FactorId, MINUTE, type UserId } from "../../core/nouns.js";
import type { AccountRecord } from "../../engine/account-records.js";
import { credentialClaim } from "../../engine/credential-index.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import { isSignedBy } from "./keys.js";
import type { PushState } from "./state.js";

/** How far the clock of a device may be from ours, milliseconds. */
const CLOCK_DIFFERENCE = MINUTE;

/** A device, and whose it is. */
export interface FoundDevice {
  readonly userId: UserId;
  readonly record: AccountRecord;
  readonly device: Factor<PushState>;
}

/** What a device that nobody is logged in on says of itself. */
export interface DeviceClaim {
  readonly factorId: FactorId;
  /** As it was sent: ISO 8601, or milliseconds since the epoch. */
  readonly time: string;
  readonly signature: string;
}

/** All that the account has, also those that are suspended. */
export function devicesOf(account: Account): readonly Factor<PushState>[] {
  return account.factors.filter(({ type }) => type === "push") as readonly Factor<PushState>[];
}

/** The device of this id, whoever's it is. */
async function findDevice(
  { credentials, records }: Pick<EngineDependencies, "credentials" | "records">,
  factorId: FactorId,
): Promise<FoundDevice | undefined> {
  const userId = await credentials.ownerOf(credentialClaim(factorId));
  if (userId === undefined) return undefined;
  const record = await records.read(userId);
  const device = devicesOf(record.account).find(({ id }) => id === factorId);
  return device && { userId, record, device };
}

/** With its offset: a time of nobody's zone is none. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function timeIn(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return ISO_TIME.test(text) ? Date.parse(text) : NaN;
}

function isNear(time: string, clock: Clock): boolean {
  const at = timeIn(time);
  return Math.abs(at - clock()) <= CLOCK_DIFFERENCE;
}

/** The device that signed this a moment ago. `lines`: what it must have signed. */
export async function signingDevice(
  dependencies: Pick<EngineDependencies, "clock" | "credentials" | "records">,
  { factorId, signature, time }: DeviceClaim,
  lines: string,
): Promise<Outcome<FoundDevice>> {
  const found = await findDevice(dependencies, factorId);
  if (found === undefined) return failure("not-found");
  const isRight = isNear(time, dependencies.clock) && isSignedBy(found.device.state.publicKey, lines, signature);
  return isRight ? success(found) : failure("invalid-code", { isFailedAttempt: true });
}
