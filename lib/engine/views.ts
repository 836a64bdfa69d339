import {
  type Account,
  type Activity,
  type Device,
  type Factor,
  factorsOf,
  isLive,
  type Login,
  ownFactors,
} from "../core/account.js";
import { closedFactors } from "../core/account-changes.js";
import { BACKUP_CODE, type MethodType } from "../core/nouns.js";
import type { AnyMethod } from "./method.js";

/** A factor as its owner may see it: never a secret, a code or a digest. Times are ISO 8601, UTC. */
export interface FactorView {
  readonly id: string;
  readonly type: MethodType;
  readonly label: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly hint?: string;
}

export interface DeviceView {
  readonly id: string;
  readonly label: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  /** The browser that asks. */
  readonly current: boolean;
}

export interface SessionView {
  readonly label: string;
  readonly createdAt: string;
  readonly verifiedAt: string | null;
  readonly trustedDevice: boolean;
  readonly current: boolean;
}

export interface ActivityView {
  readonly time: string;
  readonly action: string;
  readonly method?: MethodType;
  readonly label?: string;
}

export interface BackupCodesView {
  readonly remaining: number;
  readonly createdAt: string | null;
}

/** A factor that too many wrong answers in a row have closed. */
export interface ClosedView {
  readonly id: string;
  readonly type: MethodType;
  /** Empty for backup codes. */
  readonly label: string;
}

/** Everything the settings page shows. Times are ISO 8601, UTC. */
export interface SettingsView {
  readonly factors: readonly FactorView[];
  readonly backupCodes: BackupCodesView;
  readonly devices: readonly DeviceView[];
  readonly sessions: readonly SessionView[];
  readonly activity: readonly ActivityView[];
  /** The owner asked not to be offered a passkey again. */
  readonly declinesPasskeys?: true;
  /** Absent where none is. */
  readonly closed?: readonly ClosedView[];
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

type Methods = ReadonlyMap<MethodType, AnyMethod>;

export function factorView(factor: Factor, methods: Methods): FactorView {
  const { id, type, label, createdAt, lastUsedAt } = factor;
  const hint = methods.get(type)?.hint?.(factor);
  return {
    id,
    type,
    label,
    createdAt: iso(createdAt),
    lastUsedAt: lastUsedAt === null ? null : iso(lastUsedAt),
    ...(hint === undefined ? {} : { hint }),
  };
}

export function backupCodesView(account: Account, methods: Methods): BackupCodesView {
  const [set] = factorsOf(account, BACKUP_CODE);
  const remaining = set && methods.get(set.type)?.remaining?.(set);
  if (set === undefined || remaining === undefined) return { remaining: 0, createdAt: null };
  return { remaining, createdAt: iso(set.createdAt) };
}

function deviceView(
  { id, label, createdAt, lastUsedAt, expiresAt }: Device,
  currentId: string | undefined,
): DeviceView {
  const times = { createdAt: iso(createdAt), lastUsedAt: iso(lastUsedAt), expiresAt: iso(expiresAt) };
  return { id, label, ...times, current: id === currentId };
}

function sessionView({ id, at, proofs, deviceId, label }: Login, currentId: string | undefined): SessionView {
  const verified = proofs.at(-1)?.at;
  return {
    label,
    createdAt: iso(at),
    verifiedAt: verified === undefined ? null : iso(verified),
    trustedDevice: deviceId !== undefined,
    current: id === currentId,
  };
}

function activityView({ at, ...entry }: Activity): ActivityView {
  return { time: iso(at), ...entry };
}

/** Which of the listed things are the login's own. */
export interface Current {
  readonly loginId: string | undefined;
  readonly deviceId: string | undefined;
  readonly now: number;
}

export function closedView(account: Account): readonly ClosedView[] {
  return closedFactors(account).map(({ id, label, type }) => ({ id, type, label }));
}

export function settingsView(account: Account, methods: Methods, current: Current): SettingsView {
  const closed = closedView(account);
  const liveDevices = account.devices.filter((device) => isLive(device, current.now));
  return {
    factors: ownFactors(account).map((factor) => factorView(factor, methods)),
    backupCodes: backupCodesView(account, methods),
    devices: liveDevices.map((device) => deviceView(device, current.deviceId)),
    sessions: account.logins.toReversed().map((login) => sessionView(login, current.loginId)),
    activity: account.activity.map(activityView),
    ...(account.declinesPasskeys === true ? { declinesPasskeys: true } : {}),
    ...(closed.length > 0 ? { closed } : {}),
  };
}
