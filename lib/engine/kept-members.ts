import type { Account, Enrollment, Factor, KnownBrowsers, Login, LoginEnd, Report } from "../core/account.js";
import type { Acting } from "../core/acting.js";
import type { ApprovalRequest, Approvals } from "../core/approvals.js";
import type { AttemptWindow } from "../core/attempts.js";
import type { CallerCheck, DeskRequest } from "../core/help-desk.js";
import type { Proof, UserId } from "../core/nouns.js";
import type { Pass } from "../core/passes.js";
import type { Recovery } from "../core/recovery.js";
import { iso } from "../core/time.js";
import type { WaitingLogin } from "../core/waiting.js";

// What a person is owed who asks what is kept of them. Every member of what is stored is decided on in a table here: one that is added
// to an account does not compile before it is.

/** `"by hand"`: told apart, because it has members of its own. `"never"`: a secret, what is compared with one, or what names a secret. */
type Telling = "as it is" | "time" | "by hand" | "never";

type Fields<T> = { readonly [Member in keyof T]-?: Telling };

type Iso<Value> = Value extends number ? string : Value;

/** What is told of a part. Times are ISO 8601, UTC. */
type Told<T, Table extends Fields<T>> = {
  readonly [
    Member in keyof T as Table[Member] extends "as it is" | "time" ? Member : never
  ]: Table[Member] extends "time" ? Iso<T[Member]> : T[Member];
};

function told<T extends object, const Table extends Fields<T>>(part: T, table: Table): Told<T, Table> {
  const members = Object.entries(table) as unknown as readonly (readonly [keyof T, Telling])[];
  const shown = members.flatMap(([name, telling]) => {
    const value = part[name];
    if (value === undefined || (telling !== "as it is" && telling !== "time")) return [];
    return [[name, telling === "time" && typeof value === "number" ? iso(value) : value]];
  });
  return Object.fromEntries(shown) as Told<T, Table>;
}

const FACTOR = {
  id: "as it is",
  type: "as it is",
  label: "as it is",
  createdAt: "time",
  lastUsedAt: "time",
  failures: "as it is",
  verifiedFailures: "as it is",
  onBackupCode: "as it is",
  enrolledBy: "as it is",
  suspended: "as it is",
  // Its method's own: secrets, codes and keys. What its owner may see of it is the hint.
  state: "never",
} as const satisfies Fields<Factor>;

const ENROLLMENT = {
  id: "as it is",
  type: "as it is",
  label: "as it is",
  loginId: "as it is",
  expiresAt: "time",
  reconfirmed: "as it is",
  shownAt: "time",
  replaces: "as it is",
  guided: "as it is",
  answer: "never",
  state: "never",
} as const satisfies Fields<Enrollment>;

const LOGIN = {
  id: "as it is",
  stage: "never",
  at: "time",
  proofs: "by hand",
  deviceId: "as it is",
  label: "as it is",
  onBackupCode: "as it is",
  ip: "as it is",
  seenAt: "time",
  life: "as it is",
  used: "as it is",
  opening: "never",
  acting: "by hand",
  from: "as it is",
} as const satisfies Fields<Login>;

const PROOF = {
  method: "as it is",
  factorId: "as it is",
  at: "time",
  amr: "as it is",
  isEnrollment: "as it is",
  onBackupCode: "as it is",
} as const satisfies Fields<Proof>;

const ACTING = { actor: "as it is", since: "time" } as const satisfies Fields<Acting>;

const LOGIN_END = {
  id: "as it is",
  until: "time",
  endedAt: "time",
  isFirstStep: "as it is",
} as const satisfies Fields<LoginEnd>;

const UNMARKED_OVER = { touchedBy: "time", keptUntil: "time" } as const satisfies Fields<
  NonNullable<Account["unmarkedOver"]>
>;

const WINDOW = { count: "as it is", endsAt: "time" } as const satisfies Fields<AttemptWindow>;

const WAITING = {
  id: "as it is",
  at: "time",
  until: "time",
  browser: "as it is",
  ip: "as it is",
} as const satisfies Fields<WaitingLogin>;

// Of browsers and addresses nothing is kept but digests: how many there are is all that can be told.
const BROWSERS = {
  key: "never",
  digests: "by hand",
  addresses: "by hand",
  at: "time",
} as const satisfies Fields<KnownBrowsers>;

const REPORT = { number: "as it is", keptUntil: "time" } as const satisfies Fields<Report>;

const APPROVALS = {
  type: "as it is",
  request: "by hand",
  misses: "as it is",
  missedAt: "time",
  reported: "as it is",
} as const satisfies Fields<Approvals>;

const APPROVAL_REQUEST = {
  digest: "never",
  factorId: "as it is",
  askedBy: "never",
  askingBrowser: "never",
  sealed: "never",
  browser: "as it is",
  ip: "as it is",
  createdAt: "time",
  expiresAt: "time",
  wrongNumbers: "as it is",
  decision: "as it is",
} as const satisfies Fields<ApprovalRequest>;

const RECOVERY = {
  // What its links are made of.
  id: "never",
  link: "never",
  vouch: "never",
  reach: "never",
  by: "as it is",
  requestedAt: "time",
  confirmBy: "time",
  evidence: "as it is",
  browser: "as it is",
  ip: "as it is",
  confirmedAt: "time",
  completesAt: "time",
  halfAt: "time",
  asksFirst: "as it is",
  askedUntil: "time",
  readyAt: "time",
  linkUntil: "time",
  completed: "by hand",
} as const satisfies Fields<Recovery>;

const COMPLETED = { at: "time", loginId: "as it is", enrollBy: "time" } as const satisfies Fields<
  NonNullable<Recovery["completed"]>
>;

const PASS = {
  id: "never",
  issuedAt: "time",
  expiresAt: "time",
  actor: "as it is",
  uses: "as it is",
  isVoid: "as it is",
  secret: "never",
} as const satisfies Fields<Pass>;

const CALLER_CHECK = {
  beganAt: "time",
  shownTo: "as it is",
  wrong: "as it is",
  key: "never",
  nonce: "never",
} as const satisfies Fields<CallerCheck>;

const DESK_REQUEST = {
  // Whoever knows it can approve.
  id: "never",
  operation: "as it is",
  askedAt: "time",
  actor: "as it is",
  // Said among the staff, for the audit trail: whoever has taken the account over downloads this as well.
  reason: "never",
  terms: "as it is",
} as const satisfies Fields<DeskRequest>;

/** Where each member of an account is: among what the settings show, in {@link KeptView}, or nowhere. */
type Decided<Table extends { readonly [Member in keyof Account]-?: "settings" | "kept" | "nowhere" }> = Table;

type Members = Decided<{
  userId: "kept";
  handle: "kept";
  sessionEpoch: "nowhere";
  passwordEpoch: "nowhere";
  factors: "kept";
  formerCodes: "kept";
  enrollments: "kept";
  devices: "settings";
  logins: "kept";
  endedLogins: "kept";
  unmarkedOver: "kept";
  activity: "settings";
  attempts: "kept";
  declinesPasskeys: "settings";
  preferred: "settings";
  // Digests by which passkeys are found.
  looseClaims: "nowhere";
  waiting: "kept";
  waitingToldAt: "kept";
  browsers: "kept";
  graceUntil: "settings";
  frozenUntil: "kept";
  reports: "kept";
  approvals: "kept";
  recovery: "kept";
  refusesRecovery: "kept";
  probationUntil: "kept";
  passes: "kept";
  callerCheck: "kept";
  deskRequests: "kept";
  forgottenAt: "kept";
}>;

/** What the settings do not show, or only while it lasts. A member is absent where nothing of it is kept. Times are ISO 8601, UTC. */
export interface KeptView {
  readonly userId: UserId;
  /** What passkeys call the user. */
  readonly handle?: string | undefined;
  /** Backup codes among them, with the wrong answers counted on each. */
  readonly factors?: readonly Told<Factor, typeof FACTOR>[] | undefined;
  /** The set of backup codes before the present one. */
  readonly formerCodes?: Told<Factor, typeof FACTOR> | undefined;
  /** What was begun to be set up. */
  readonly enrollments?: readonly Told<Enrollment, typeof ENROLLMENT>[] | undefined;
  /** Logins with what was proved in them, by when, and how long they last unseen, milliseconds. */
  readonly logins?: readonly ReturnType<typeof loginView>[] | undefined;
  readonly endedLogins?: readonly Told<LoginEnd, typeof LOGIN_END>[] | undefined;
  /** Sessions that hold a login nothing is known of are over if they were last touched by then. */
  readonly unmarkedOver?: Told<NonNullable<Account["unmarkedOver"]>, typeof UNMARKED_OVER> | undefined;
  /** Attempts and messages counted in windows, by kind. */
  readonly attempts?: Readonly<Record<string, Told<AttemptWindow, typeof WINDOW>>> | undefined;
  /** Logins that wait for their second factor, or did. */
  readonly waiting?: readonly Told<WaitingLogin, typeof WAITING>[] | undefined;
  readonly waitingToldAt?: string | undefined;
  /** How many browsers are known again, and addresses; which, nobody can tell. */
  readonly browsers?: ReturnType<typeof browsersView> | undefined;
  readonly frozenUntil?: string | undefined;
  /** What was reported as not its owner's doing, by the number of the activity. */
  readonly reports?: readonly Told<Report, typeof REPORT>[] | undefined;
  /** What the owner's devices are asked, and how that went. */
  readonly approvals?: ReturnType<typeof approvalsView> | undefined;
  readonly recovery?: ReturnType<typeof recoveryKept> | undefined;
  readonly refusesRecovery?: true | undefined;
  readonly probationUntil?: string | undefined;
  /** Temporary passes of a year: no code. */
  readonly passes?: readonly Told<Pass, typeof PASS>[] | undefined;
  /** No number. */
  readonly callerCheck?: Told<CallerCheck, typeof CALLER_CHECK> | undefined;
  /** What the help desk asked another operator to approve. */
  readonly deskRequests?: readonly Told<DeskRequest, typeof DESK_REQUEST>[] | undefined;
  /** The user was erased: until then a mark of it stays. */
  readonly forgottenAt?: string | undefined;
}

type KeptName = {
  [Member in keyof Members]: Members[Member] extends "kept" ? Member : never;
}[keyof Members];

function loginView(login: Login) {
  const { acting, proofs } = login;
  const shown = { ...told(login, LOGIN), proofs: proofs.map((proof) => told(proof, PROOF)) };
  return { ...shown, ...(acting && { acting: told(acting, ACTING) }) };
}

function browsersView(browsers: KnownBrowsers) {
  const { addresses = [], digests } = browsers;
  return { ...told(browsers, BROWSERS), browsers: digests.length, addresses: addresses.length };
}

function approvalsView(approvals: Approvals) {
  const { request } = approvals;
  return { ...told(approvals, APPROVALS), ...(request && { request: told(request, APPROVAL_REQUEST) }) };
}

function recoveryKept(recovery: Recovery) {
  const { completed } = recovery;
  return { ...told(recovery, RECOVERY), ...(completed && { completed: told(completed, COMPLETED) }) };
}

function mapped<Part, View>(
  list: readonly Part[] | undefined,
  view: (part: Part) => View,
): readonly View[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list.map(view);
}

function shownTime(time: number | undefined): string | undefined {
  return time === undefined ? undefined : iso(time);
}

function attemptsView(attempts: Account["attempts"]): KeptView["attempts"] {
  const windows = Object.entries(attempts).map(([kind, window]) => [kind, told(window, WINDOW)] as const);
  return windows.length === 0 ? undefined : Object.fromEntries(windows);
}

/** Of lists. */
function keptLists(account: Account) {
  return {
    factors: mapped(account.factors, (factor) => told(factor, FACTOR)),
    enrollments: mapped(account.enrollments, (enrollment) => told(enrollment, ENROLLMENT)),
    logins: mapped(account.logins, loginView),
    endedLogins: mapped(account.endedLogins, (end) => told(end, LOGIN_END)),
    attempts: attemptsView(account.attempts),
    waiting: mapped(account.waiting, (login) => told(login, WAITING)),
    reports: mapped(account.reports, (report) => told(report, REPORT)),
    passes: mapped(account.passes, (pass) => told(pass, PASS)),
    deskRequests: mapped(account.deskRequests, (request) => told(request, DESK_REQUEST)),
  };
}

/** Everything that is kept of a user and no secret, beside what the settings show. */
export function keptView(account: Account): KeptView {
  const { approvals, browsers, callerCheck, formerCodes, recovery, unmarkedOver } = account;
  const kept: { readonly [Name in KeptName]: KeptView[Name] } = {
    userId: account.userId,
    handle: account.handle,
    ...keptLists(account),
    formerCodes: formerCodes && told(formerCodes, FACTOR),
    unmarkedOver: unmarkedOver && told(unmarkedOver, UNMARKED_OVER),
    waitingToldAt: shownTime(account.waitingToldAt),
    browsers: browsers && browsersView(browsers),
    frozenUntil: shownTime(account.frozenUntil),
    approvals: approvals && approvalsView(approvals),
    recovery: recovery && recoveryKept(recovery),
    refusesRecovery: account.refusesRecovery,
    probationUntil: shownTime(account.probationUntil),
    callerCheck: callerCheck && told(callerCheck, CALLER_CHECK),
    forgottenAt: shownTime(account.forgottenAt),
  };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as unknown as KeptView;
}
