import { probationUntil } from "../core/recovery.js";
import { recoveryView, type RecoveryView } from "./recovery-view.js";
import {
  type Account,
  type Activity,
  type Device,
  type Ended,
  type Factor,
  factorsOf,
  isDeviceLive,
  lastSeen,
  type Login,
  ownFactors,
  withHeldProofs,
} from "../core/account.js";
import { closedFactors } from "../core/account-changes.js";
import { isLive } from "../core/logins.js";
import { checkEnd, openCheck } from "../core/help-desk.js";
import { BACKUP_CODE, type FactorId, type MethodType } from "../core/nouns.js";
import { frozenUntil, isSuspended } from "../core/reports.js";
import { iso } from "../core/time.js";
import type { EngineDependencies } from "./dependencies.js";
import { deviceIdOf, type LoginContext } from "./login-context.js";
import { lastUseIn } from "./logins.js";
import type { AnyMethod, Site } from "./method.js";

/** A factor as its owner may see it: never a secret, a code or a digest. Times are ISO 8601, UTC. */
export interface FactorView {
  readonly id: string;
  readonly type: MethodType;
  readonly label: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly hint?: string;
  /** Why it cannot be used here, in its method's own word; of the settings alone. Absent: it can. */
  readonly unusable?: string;
  /** It is not asked for and proves nothing since its owner reported what was not them. Absent: it is. */
  readonly suspended?: true;
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

/** A login that is complete: somewhere the account is signed in. */
export interface SessionView {
  /** As long as the login lasts, whatever becomes of the id of its session. */
  readonly id: string;
  readonly createdAt: string;
  /** Written down after a tenth of the session's life, so up to that much too early. */
  readonly lastSeenAt: string;
  readonly verifiedAt: string | null;
  readonly trustedDevice: boolean;
  /** As it was last seen: a short name such as "Firefox on Linux". */
  readonly browser: string;
  readonly ip: string | null;
  /** The login that asks. */
  readonly current: boolean;
  /** Of the staff, who is signed in with it in the place of its user. Absent: nobody is. */
  readonly actor?: string;
}

/** A kind of thing that happened, and when it did last. */
export interface ActivityView {
  readonly at: string;
  readonly action: string;
  readonly outcome: "success" | "failure";
  readonly method?: MethodType;
  /** The factor or browser it is about. */
  readonly label?: string;
  /** Where it was done; absent for what the application or its staff did. */
  readonly browser?: string;
  readonly ip?: string;
  /** How often it happened. */
  readonly count: number;
  /** What it ended beside what it is about: sessions, and the trust in browsers. Absent: nothing. */
  readonly ended?: Ended;
  /** The last time, counted over everything that ever happened: the higher, the later. Notices carry it. */
  readonly number: number;
  /** Of times before of which there was a notice, newest first, five at most. Absent: none. */
  readonly earlier?: readonly number[];
}

export interface BackupCodesView {
  readonly remaining: number;
  readonly createdAt: string | null;
  /** None of them is taken since their owner reported what was not them; new ones are. */
  readonly suspended?: true;
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
  /** The kind of factor that the owner wants to be asked for first. */
  readonly preferred?: MethodType;
  /** Absent where none is. */
  readonly closed?: readonly ClosedView[];
  /** Until then no factor is set up, changed or removed, because something was reported. Absent: they are. */
  readonly frozenUntil?: string;
  /** Policy demands a factor, and there is none: until then its owner is only invited to set one up. Absent otherwise. */
  readonly graceUntil?: string;
  /** The way back for whoever has lost every factor. Absent where there is none. */
  readonly recovery?: RecoveryView & { /** The owner wants none. */ readonly optedOut: boolean };
  /** After a recovery, until then no sensitive route is open. Absent: there was none, or long ago. */
  readonly probation?: { readonly until: string };
  /** The help desk waits for a number that the caller's own page shows. Absent: it does not. */
  readonly callerCheck?: { readonly expiresAt: string };
}

function suspendedMember(factor: Factor): { readonly suspended?: true } {
  return isSuspended(factor) ? { suspended: true } : {};
}

/** What a report has done to an account, as far as it still holds. */
interface Frozen {
  readonly suspended?: readonly FactorId[];
  readonly frozenUntil?: string;
  readonly pushPaused?: true;
}

export function frozenView(account: Account, now: number): Frozen {
  const suspended = account.factors.filter(isSuspended).map(({ id }) => id);
  const isPaused = account.approvals?.reported !== undefined;
  return {
    ...(suspended.length > 0 && { suspended }),
    ...frozenMember(account, now),
    ...(isPaused && { pushPaused: true }),
  };
}

export function frozenMember(account: Account, now: number): { readonly frozenUntil?: string } {
  const until = frozenUntil(account, now);
  return until === undefined ? {} : { frozenUntil: iso(until) };
}

function callerMember(account: Account, now: number): Pick<SettingsView, "callerCheck"> {
  const check = openCheck(account, now);
  return check === undefined ? {} : { callerCheck: { expiresAt: iso(checkEnd(check)) } };
}

type Methods = ReadonlyMap<MethodType, AnyMethod>;

/** `place`: where it is to be used; without one nothing is said of that. */
export function factorView(factor: Factor, methods: Methods, place?: Onlooker["place"]): FactorView {
  const { id, type, label, createdAt, lastUsedAt } = factor;
  const method = methods.get(type);
  const hint = method?.hint?.(factor);
  const unusable = place && method?.obstacle?.(factor, place);
  return {
    id,
    type,
    label,
    createdAt: iso(createdAt),
    lastUsedAt: lastUsedAt === null ? null : iso(lastUsedAt),
    ...(hint === undefined ? {} : { hint }),
    ...(unusable === undefined ? {} : { unusable }),
    ...suspendedMember(factor),
  };
}

export function backupCodesView(account: Account, methods: Methods): BackupCodesView {
  const [set] = factorsOf(account, BACKUP_CODE);
  const remaining = set && methods.get(set.type)?.remaining?.(set);
  if (set === undefined || remaining === undefined) return { remaining: 0, createdAt: null };
  return { remaining, createdAt: iso(set.createdAt), ...suspendedMember(set) };
}

function deviceView(
  { id, label, createdAt, lastUsedAt, expiresAt }: Device,
  currentId: string | undefined,
): DeviceView {
  const times = { createdAt: iso(createdAt), lastUsedAt: iso(lastUsedAt), expiresAt: iso(expiresAt) };
  return { id, label, ...times, current: id === currentId };
}

function sessionView(login: Login, currentId: string | undefined): SessionView {
  const { acting, id, at, proofs, deviceId, ip = null, label } = login;
  const verified = proofs.at(-1)?.at;
  return {
    id,
    createdAt: iso(at),
    lastSeenAt: iso(lastSeen(login)),
    verifiedAt: verified === undefined ? null : iso(verified),
    trustedDevice: deviceId !== undefined,
    browser: label,
    ip,
    current: id === currentId,
    ...(acting && { actor: acting.actor }),
  };
}

function activityView({ at, count = 1, number = 0, outcome, ...entry }: Activity): ActivityView {
  return { at: iso(at), outcome: outcome ?? "success", count, number, ...entry };
}

type Parts = Pick<EngineDependencies, "clock" | "hasRecovery" | "methods" | "uses">;

/** Who looks: which of the listed things are their own. Nothing is, where the application asks by itself. */
interface Onlooker {
  readonly loginId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly place?: Pick<Site, "origins">;
}

/** What the settings show to the login that asks. */
export function ownSettingsView(login: LoginContext, parts: Parts): SettingsView {
  const onlooker = { loginId: login.session?.id, deviceId: deviceIdOf(login), place: login.source };
  return { ...settingsView(login.record.account, parts, onlooker), ...graceView(login) };
}

/** What the settings show, as nobody's login in particular. */
export function exportedView(account: Account, parts: Parts): SettingsView {
  const grace = account.graceUntil === undefined ? {} : { graceUntil: iso(account.graceUntil) };
  return { ...settingsView(account, parts, {}), ...grace };
}

/** Until when a login's owner is only invited to set up what is demanded of them. */
export function graceView({ status }: Pick<LoginContext, "status">): { readonly graceUntil?: string } {
  const until = "graceUntil" in status ? status.graceUntil : undefined;
  return until === undefined ? {} : { graceUntil: iso(until) };
}

export function closedView(account: Account): readonly ClosedView[] {
  return closedFactors(account).map(({ id, label, type }) => ({ id, type, label }));
}

function settingsView(
  account: Account,
  { clock, hasRecovery, methods, uses }: Parts,
  { deviceId, loginId, place }: Onlooker,
): SettingsView {
  const [now, lastUse] = [clock(), lastUseIn(uses)];
  const closed = closedView(account);
  const liveLogins = account.logins.filter((login) => isLive(account, login, now, lastUse(login.id)));
  const liveDevices = account.devices.filter((device) => isDeviceLive(device, now));
  return {
    factors: ownFactors(account).map((factor) => factorView(factor, methods, place)),
    backupCodes: backupCodesView(account, methods),
    devices: liveDevices.map((device) => deviceView(device, deviceId)),
    sessions: liveLogins.toReversed().map((login) => sessionView(withHeldProofs(login, account), loginId)),
    activity: account.activity.map(activityView),
    ...(account.declinesPasskeys === true ? { declinesPasskeys: true } : {}),
    ...(account.preferred === undefined ? {} : { preferred: account.preferred }),
    ...(closed.length > 0 ? { closed } : {}),
    ...frozenMember(account, now),
    ...probationMember(account, now),
    ...(hasRecovery && {
      recovery: { ...recoveryView(account, now), optedOut: account.refusesRecovery === true },
    }),
    ...callerMember(account, now),
  };
}

export function probationMember(account: Account, now: number): Pick<SettingsView, "probation"> {
  const until = probationUntil(account, now);
  return until === undefined ? {} : { probation: { until: iso(until) } };
}
