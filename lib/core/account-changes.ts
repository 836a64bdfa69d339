import { afterProof, withoutAsked, withoutPause } from "./approvals.js";
import {
  type Account,
  type Activity,
  type Ended,
  type Factor,
  isDeviceLive,
  isEnrolled,
  type Login,
  ownFactors,
} from "./account.js";
import type { AttemptScope } from "./attempts.js";
import { withFormerCodes } from "./former-codes.js";
import { isLive } from "./logins.js";
import type { FactorId } from "./nouns.js";

// Every change of an account is a pure function here. Who may make it, and what is told of it, is decided above.

const MAX_ACTIVITY = 20;

/** Lines of one kind that differ in where it was done or to what: more of them are repeats. */
const MAX_ALIKE = 3;

/** Numbers of earlier times that a line which was repeated still shows: as many mails of an hour may lie in a mailbox. */
const MAX_EARLIER = 20;

/** Wrong answers in a row after which a factor is closed (NIST SP 800-63B-4 section 3.2.2 allows at most 100). */
const CLOSED_AFTER = 50;

export function replaceFactor(account: Account, factor: Factor): Account {
  return { ...account, factors: account.factors.map((each) => (each.id === factor.id ? factor : each)) };
}

/** Without that factor; the last one that can be asked for takes the backup codes with it, and what is suspended. */
export function withoutFactor(account: Account, factorId: FactorId): Account {
  const factors = account.factors.filter(({ id }) => id !== factorId);
  const others = { ...account, factors };
  if (!ownFactors(others).some(({ suspended }) => suspended !== true)) return withoutFactors(account);
  return withoutQuestions(
    others,
    account.factors.find(({ id }) => id === factorId),
  );
}

/** Without what a factor that is gone was asked: nobody can answer that any more. */
function withoutQuestions(account: Account, gone: Factor | undefined): Account {
  const { approvals: asked, ...left } = account;
  if (gone === undefined || asked === undefined) return account;
  const isLast = !account.factors.some(({ type }) => type === gone.type);
  const approvals = withoutAsked(asked, gone, isLast);
  return approvals === undefined ? left : { ...left, approvals };
}

/** With a new factor: last, or in the place of the one that it replaces. */
export function withNewFactor(account: Account, factor: Factor, replaced: Factor | undefined): Account {
  if (replaced === undefined) return { ...account, factors: [...account.factors, factor] };
  const factors = account.factors.map((each) => (each.id === replaced.id ? factor : each));
  return withoutQuestions({ ...account, factors }, replaced);
}

/** Without any factor, what they were asked, and the way back to an account that had some. */
export function withoutFactors({
  approvals: _gone,
  formerCodes: _void,
  recovery: _over,
  ...account
}: Account): Account {
  return { ...account, factors: [] };
}

/** Staff took its factors: where none is left, no time of grace begins by that. One that has begun stays as it is. */
export function withoutGrace(account: Account, now: number): Account {
  return isEnrolled(account) ? account : { ...account, graceUntil: account.graceUntil ?? now };
}

/** With devices asked again, whatever their owner said or left unanswered. */
export function withDevicesAsked(account: Account): Account {
  const { approvals } = account;
  return approvals === undefined ? account : { ...account, approvals: withoutPause(approvals) };
}

/** With this set of backup codes in the place of the one before. */
export function withBackupCodes(account: Account, set: Factor): Account {
  return withFormerCodes({ ...account, factors: [...ownFactors(account), set] }, account);
}

function isAlike(one: Activity, other: Activity): boolean {
  return one.action === other.action && one.method === other.method && one.outcome === other.outcome;
}

/** The numbers of the line that this one takes the place of, where its owner has been told of them. */
function earlierOf(repeated: Activity | undefined, isTold: boolean): Pick<Activity, "earlier"> {
  const { earlier = [], number, untold } = repeated ?? {};
  const numbers = isTold && number !== undefined && untold !== true ? [number, ...earlier] : earlier;
  return numbers.length === 0 ? {} : { earlier: numbers.slice(0, MAX_EARLIER) };
}

/**
 * What happened goes on top. A repeat takes the place of the line it repeats, so that it washes nothing off the list. `isTold`: the
 * owner hears of such by their numbers.
 */
export function addActivity(account: Account, entry: Activity, isTold = false): Account {
  const { activity } = account;
  const alike = activity.filter((line) => isAlike(line, entry));
  const same = alike.find(({ browser, label }) => browser === entry.browser && label === entry.label);
  const repeated = same ?? (alike.length < MAX_ALIKE ? undefined : alike.at(-1));
  const count = repeated === undefined ? {} : { count: (repeated.count ?? 1) + 1 };
  const number = (activity[0]?.number ?? activity.length) + 1;
  const line: Activity = { ...entry, ...count, number, ...earlierOf(repeated, isTold) };
  return { ...account, activity: [line, ...activity.filter((each) => each !== repeated)].slice(0, MAX_ACTIVITY) };
}

/** Ends every login and trusted device but, where named, the login that asked for it. `epoch`: one never used before. */
export function startEpoch(account: Account, epoch: string, keep?: Login): Account {
  return {
    ...account,
    sessionEpoch: epoch,
    devices: [],
    enrollments: [],
    logins: keep === undefined ? [] : [keep],
  };
}

export function withoutDevice(account: Account, deviceId: string): Account {
  return { ...account, devices: account.devices.filter((device) => device.id !== deviceId) };
}

function failuresOf(factor: Factor, scope: AttemptScope): number {
  return scope === "login" ? factor.failures : (factor.verifiedFailures ?? 0);
}

/** Too many wrong answers in a row: it proves nothing more in this scope until something else opens it again. */
export function isClosed(factor: Factor, scope: AttemptScope): boolean {
  return failuresOf(factor, scope) >= CLOSED_AFTER;
}

function isClosedAnywhere(factor: Factor): boolean {
  return isClosed(factor, "login") || isClosed(factor, "verified");
}

/** One more wrong answer on each of these factors, and those it closes. */
export function countFailures(
  account: Account,
  factors: readonly Factor[],
  scope: AttemptScope,
): { readonly account: Account; readonly closed: readonly Factor[] } {
  const counted = factors.map((factor): Factor => {
    const failures = failuresOf(factor, scope) + 1;
    return scope === "login" ? { ...factor, failures } : { ...factor, verifiedFailures: failures };
  });
  const closed = counted.filter((factor) => failuresOf(factor, scope) === CLOSED_AFTER);
  return { account: counted.reduce(replaceFactor, account), closed };
}

/** A factor that was set up on a backup code, and is one like any other from now on. */
export function onItsOwn({ onBackupCode: _settled, ...factor }: Factor): Factor {
  return factor;
}

function opened({ verifiedFailures: _counted, ...factor }: Factor): Factor {
  return { ...factor, failures: 0 };
}

function cleared(factor: Factor, scope: AttemptScope): Factor {
  const { verifiedFailures: _counted, ...other } = factor;
  return scope === "login" ? { ...factor, failures: 0 } : other;
}

/**
 * A right answer clears its own factor where it was given. It also opens the others that guessing has closed, because whoever has
 * another factor is no guesser: at a login all of them, in one that is verified what was closed by such. There the rest, which
 * somebody with the password goes on guessing at, is opened when the owner says so.
 */
export function countSuccess(
  account: Account,
  proved: Factor,
  { loginId, scope }: { readonly scope: AttemptScope; readonly loginId?: string | undefined },
  now: number,
): Account {
  const factors = account.factors.map((factor): Factor => {
    if (factor.id === proved.id) return { ...cleared(proved, scope), lastUsedAt: now };
    if (scope === "login") return isClosedAnywhere(factor) ? opened(factor) : factor;
    return isClosed(factor, scope) ? cleared(factor, scope) : factor;
  });
  const { approvals } = account;
  return {
    ...account,
    factors,
    ...(approvals && { approvals: afterProof(approvals, proved.type, { askedBy: loginId, now }) }),
  };
}

/** Opens every factor that guessing had closed. */
export function reopenFactors(account: Account): Account {
  return { ...account, factors: account.factors.map(opened) };
}

/** Factors that are closed in any scope. */
export function closedFactors(account: Account): readonly Factor[] {
  return account.factors.filter(isClosedAnywhere);
}

/** The logins and trusted browsers that were good for something and are gone; undefined where there are none. */
export function endedBetween(before: Account, after: Account, now: number): Ended | undefined {
  if (before.logins === after.logins && before.devices === after.devices) return undefined;
  const [logins, devices] = [after.logins, after.devices].map((list) => new Set(list.map(({ id }) => id)));
  const sessions = before.logins.filter((login) => !logins?.has(login.id) && isLive(before, login, now)).length;
  const browsers = before.devices.filter((device) => !devices?.has(device.id) && isDeviceLive(device, now)).length;
  return sessions + browsers > 0 ? { sessions, browsers } : undefined;
}

/** Factors of the one account that the other does not have any more. */
export function removedFactors(before: Account, after: Account): readonly Factor[] {
  const kept = new Set(after.factors.map(({ id }) => id));
  return before.factors.filter(({ id }) => !kept.has(id));
}

/** With these claims written down as loose. */
export function withLooseClaims(account: Account, claims: readonly string[]): Account {
  const { looseClaims = [] } = account;
  return { ...account, looseClaims: [...new Set([...looseClaims, ...claims])] };
}

/** These claims are settled: needed by a factor, or given up. */
export function withoutLooseClaims(account: Account, claims: readonly string[]): Account {
  const { looseClaims, ...settled } = account;
  const left = looseClaims?.filter((claim) => !claims.includes(claim)) ?? [];
  return left.length === 0 ? settled : { ...settled, looseClaims: left };
}

/** An account of more would be a record too large to write at every proof. */
export const MOST_FACTORS = 20;

export function hasRoom(account: Account): boolean {
  return account.factors.length < MOST_FACTORS;
}
