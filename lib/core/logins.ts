import { isActingNow } from "./acting.js";
import {
  type Account,
  lastSeen,
  lifeEnd,
  lifeOf,
  liveDevice,
  type Login,
  type LoginEnd,
  SIGHT_DELAY,
} from "./account.js";
import { DAY } from "./nouns.js";
import { isFuture } from "./time.js";

// The list of an account's complete logins, and of those that ended. Pure changes, as those of account-changes.

/** Logins beyond this many push out others, so that a record stays small whatever a script does. */
const MAX_LOGINS = 50;

/** Of each kind. */
const MAX_ENDS = 100;

/** A session that was not seen by then, and lives longer, is more than applications usually let live. */
const UNMARKED_LIFE = 30 * DAY;

/** When a login of this id was last used as far as one process knows; undefined where it was not. */
export type LastUse = (loginId: string) => number | undefined;

/** What a request shows of the session that a login lives in. */
export interface Sight {
  /** Of the session, milliseconds; undefined where it lasts as long as the browser is open. */
  readonly life: number | undefined;
  readonly label: string;
  readonly ip?: string | undefined;
}

/**
 * It can still be worth something: neither its session's life nor the trust it rests on is over. `usedAt`: when this process saw it last;
 * without it the login has the benefit of the doubt.
 */
export function isLive(account: Account, login: Login, now: number, usedAt?: number): boolean {
  if (lifeEnd(login, usedAt) <= now) return false;
  if (login.acting !== undefined) return isActingNow(login.acting, now);
  return (
    login.deviceId === undefined || login.proofs.length > 0 || liveDevice(account, login.deviceId, now) !== undefined
  );
}

/** What a login keeps of the request it was seen at. */
export function sighted({ ip, label, life }: Sight, now: number): Pick<Login, "seenAt" | "life" | "label" | "ip"> {
  return { seenAt: now, label, ...(life !== undefined && { life }), ...(ip !== undefined && { ip }) };
}

/** Who goes first where there is no room: logins nobody came back to, then those that were used longest ago. */
function byNeed(lastUse: LastUse): (one: Login, other: Login) => number {
  const used = (login: Login): number => Number(login.used === true || lastUse(login.id) !== undefined);
  const seen = (login: Login): number => Math.max(lastSeen(login), lastUse(login.id) ?? 0);
  return (one, other) => used(one) - used(other) || seen(one) - seen(other);
}

/** Lists a login; one of the same id is replaced. Those that are over make room, then those who need it least. */
export function addLogin(account: Account, login: Login, now: number, lastUse: LastUse): Account {
  const others = account.logins.filter((each) => each.id !== login.id && isLive(account, each, now));
  const tooMany = Math.max(0, others.length + 1 - MAX_LOGINS);
  const leaving = new Set(tooMany === 0 ? [] : others.toSorted(byNeed(lastUse)).slice(0, tooMany));
  return { ...account, logins: [...others.filter((each) => !leaving.has(each)), login] };
}

/** Logins of an account that the list lost although they were good for something. */
export function displacedLogins(before: Account, after: Account, now: number): readonly Login[] {
  const kept = new Set(after.logins.map(({ id }) => id));
  return before.logins.filter((login) => !kept.has(login.id) && isLive(before, login, now));
}

/** It was seen long enough after it was last written down: after a tenth of its life, or when that has become another. */
function isSightDue(login: Login, life: number | undefined, now: number): boolean {
  const [before, present] = [lifeOf(login), lifeOf({ life })];
  if (now - lastSeen(login) >= before * SIGHT_DELAY) return true;
  // express-session works a life out again and again, and is some milliseconds off every time.
  return Math.abs(present - before) > before * SIGHT_DELAY;
}

/**
 * Whether it is to be written down that the login was used: the first time, so that every process knows that somebody came back to it,
 * and from then on now and then.
 */
export function isNewsOf(login: Login, life: number | undefined, now: number): boolean {
  return login.used !== true || isSightDue(login, life, now);
}

/** The login was used again. */
export function seeLogin(account: Account, login: Login, sight: Sight, now: number): Account {
  const { ip: _ip, label: _label, life: _life, ...kept } = login;
  const seen: Login = {
    ...(isSightDue(login, sight.life, now) ? { ...kept, ...sighted(sight, now) } : login),
    used: true,
  };
  return { ...account, logins: account.logins.map((each) => (each.id === login.id ? seen : each)) };
}

/** The login of one of these ids, or risen from a first step of one, that is not open yet. */
export function openingIn(logins: readonly Login[], ids: readonly (string | undefined)[]): Login | undefined {
  return logins.find(
    ({ from, id, opening }) =>
      opening !== undefined && (ids.includes(id) || (from !== undefined && ids.includes(from))),
  );
}

/** The browser that came to be trusted with a login is noted at it for as long as that is not open. */
export function openingWith(account: Account, loginId: string, deviceId: string): Account {
  const noted = account.logins.map((each) =>
    each.id === loginId && each.opening !== undefined ? { ...each, opening: { ...each.opening, deviceId } } : each,
  );
  return { ...account, logins: noted };
}

/** A login is open from now on. Its session may live longer or shorter than when it was listed: that was chosen meanwhile. */
export function openLogin(account: Account, login: Login, life: number | undefined): Account {
  const { opening: _over, ...open } = withLife(login, life);
  return { ...account, logins: account.logins.map((each) => (each === login ? open : each)) };
}

/** A login whose session lives that long without being seen. */
export function withLife({ life: _before, ...login }: Login, life: number | undefined): Login {
  return { ...login, ...(life !== undefined && { life }) };
}

/** Ends a login; by a session of an older stage of it nothing ends. */
export function removeLogin(
  account: Account,
  { id, stage }: { readonly id: string; readonly stage?: string | undefined },
): Account {
  return { ...account, logins: account.logins.filter((each) => each.id !== id || each.stage !== stage) };
}

/** A first step is not listed while it lasts, so its end is: for as long as it could have lasted. */
export function revokeFirstStep(account: Account, id: string, until: number): Account {
  return { ...account, endedLogins: [{ id, until, isFirstStep: true }, ...account.endedLogins] };
}

/** What nobody has marked yet, and was last touched by now, is over. `sessionTime`: by the clock of the sessions. */
export function endUnmarked(account: Account, now: number, sessionTime: number): Account {
  return { ...account, unmarkedOver: { touchedBy: sessionTime, keptUntil: now + UNMARKED_LIFE } };
}

/**
 * The account as it is once the machine's clock turns out to have been ahead: sessions that are made from now on must not be over until
 * that time comes. When it really was is not known, so whatever was touched before this was noticed stays over.
 */
export function withTimelyEnd(account: Account, sessionTime: number): Account {
  const { unmarkedOver } = account;
  if (unmarkedOver === undefined || !isFuture(unmarkedOver.touchedBy, sessionTime)) return account;
  return { ...account, unmarkedOver: { ...unmarkedOver, touchedBy: sessionTime } };
}

/**
 * The account with the ends of the logins that a change took off the list, kept for as long as they could have lasted: a slow
 * request may write back a session from before it was marked, and that must not read as a login seen first. With a new epoch
 * sessions that were never seen are over, too.
 */
export function withEnds(before: Account, after: Account, now: number, sessionTime: number): Account {
  if (before.logins === after.logins && before.endedLogins === after.endedLogins)
    return withEpoch(before, after, now, sessionTime);
  const kept = new Set(after.logins.map(({ id }) => id));
  const gone = before.logins.filter((login) => !kept.has(login.id) && lifeEnd(login) > now);
  const ended = gone.map(({ id, life }): LoginEnd => ({ id, until: now + lifeOf({ life }), endedAt: sessionTime }));
  const ends = [...ended, ...after.endedLogins].filter(({ until }) => until > now);
  const whole = ends.filter((end) => end.isFirstStep !== true);
  const first = ends.filter((end) => end.isFirstStep === true);
  const next = { ...after, endedLogins: [...whole.slice(0, MAX_ENDS), ...first.slice(0, MAX_ENDS)] };
  return withEpoch(before, forgetEnds(next, whole.slice(MAX_ENDS), now, sessionTime), now, sessionTime);
}

/** What is no longer remembered one by one is over by its age: no more than that, or whoever logs in just now is over with it. */
function forgetEnds(account: Account, forgotten: readonly LoginEnd[], now: number, sessionTime: number): Account {
  if (forgotten.length === 0) return account;
  const ended = forgotten.map(({ endedAt = sessionTime }) => endedAt);
  return endUnmarked(account, now, Math.max(account.unmarkedOver?.touchedBy ?? -Infinity, ...ended));
}

function withEpoch(before: Account, after: Account, now: number, sessionTime: number): Account {
  return before.sessionEpoch === after.sessionEpoch ? after : endUnmarked(after, now, sessionTime);
}
