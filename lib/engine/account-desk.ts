import type { Account } from "../core/account.js";
import { startEpoch, withoutFactors, withoutGrace } from "../core/account-changes.js";
import { ConfigurationError, NotDoneError } from "../core/errors.js";
import {
  type DeskRequest,
  isReportedSince,
  isSameActor,
  MAX_REASON,
  openRequest,
  type PassTerms,
  REQUEST_LIFE,
  withoutRequests,
  withRequest,
} from "../core/help-desk.js";
import { MINUTE, type UserId } from "../core/nouns.js";
import { isByPass, openPass, voidPasses } from "../core/passes.js";
import { cleanText } from "../core/text.js";
import { iso } from "../core/time.js";
import { userIdOf } from "../core/user-ids.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { type Duration, milliseconds } from "../policy/durations.js";
import { AccountImports, type ActorOptions, type Edited } from "./account-imports.js";
import { CallerChecks } from "./caller-checks.js";
import type { EngineDependencies } from "./dependencies.js";
import { recoveryGone } from "./recovery-ends.js";
import { issuePass, type Issuing, requirePassRoom } from "./temporary-passes.js";

/** Who of the staff acts, and why. */
export interface StaffOptions extends ActorOptions {
  /**
   * Why, for the audit trail: the events of it carry it as `reason`, without control characters, cut at 255 characters. Required where
   * `helpDesk` is configured. Users are NOT told it.
   */
  readonly reason?: string;
}

export interface TemporaryPassOptions {
  /** Who gives it out, such as `"support:7"`: required, and never the user. */
  readonly actor: string;
  /** Why, for the audit trail: required. */
  readonly reason: string;
  /** How long it can be typed, up to 24 hours. Default: `"1h"`. */
  readonly expiresIn?: Duration;
  /** How often it can be typed, 1 to 5. Default: 1. */
  readonly uses?: number;
}

/** A temporary pass in clear, for the one person it is for. */
export interface TemporaryPass {
  /** `XXXX-XXXX-XXXX-XXXX`. */
  readonly code: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

export interface CallerCheckOptions {
  /** Who is at the telephone: required, and never the user. */
  readonly actor: string;
  /** Why, for the audit trail. Default: nothing is said. */
  readonly reason?: string;
}

/** Finding out who is on the line. */
export interface CallerCheckOperations {
  /**
   * Opens five minutes in which the caller's own signed-in page can show them a number of six digits, once they have proved a factor
   * there within 15 minutes. In the place of a check that is open. `expiresAt`: ISO 8601, UTC.
   *
   * Does NOT send or show anything by itself: the caller presses a button on their settings page.
   *
   * @example
   * ```ts
   * const { expiresAt } = await mfa.accounts.callerCheck.begin(userId, { actor: "support:7" });
   * log.info(`Ask the caller to open their security settings, and for the number there. It is good until ${expiresAt}.`);
   * ```
   */
  begin(userId: UserId, options: CallerCheckOptions): Promise<{ readonly expiresAt: string }>;
  /**
   * Whether the number the caller reads out is the one their page shows: true once, and then the check is over. Three wrong ones end it
   * as well; what is no number of six digits is no try.
   *
   * Does NOT say that it is the right person for what they ask: it says that they are signed in to this account with its factor.
   *
   * @example
   * ```ts
   * const said = "104 233";
   * const isCaller = await mfa.accounts.callerCheck.verify(userId, said, { actor: "support:7" });
   * if (!isCaller) log.warn("Not the number: change nothing for this caller.");
   * ```
   */
  verify(userId: UserId, number: string, options: CallerCheckOptions): Promise<boolean>;
}

export interface ApprovalOptions {
  /** Who approves it: required; neither the user nor whoever asked. */
  readonly actor: string;
  /** The user whom they were shown, and mean to approve it for. A request about anybody else is refused. Default: whoever it is about. */
  readonly userId?: UserId;
}

/** What an approval has done. */
export type ApprovedOperation =
  | { readonly operation: "reset"; readonly userId: UserId }
  | ({ readonly operation: "issueTemporaryPass"; readonly userId: UserId } & TemporaryPass);

/** How the help desk works. */
export interface DeskSettings {
  /** How many operators it takes to reset an account, or to give a temporary pass out. */
  readonly approvals: 1 | 2;
}

const PASS_LIFE = 60 * MINUTE;

type Asked = StaffOptions & Pick<DeskRequest, "operation" | "terms">;

/** Beside the change, what it answers. */
type Done = Edited & { readonly answer: ApprovedOperation };

function termsOf({ expiresIn, uses = 1 }: TemporaryPassOptions): PassTerms {
  return { life: milliseconds(expiresIn) ?? PASS_LIFE, uses };
}

/** Names the account, too: whoever approves it has nothing but this. */
function requestIdOf(userId: UserId, id: string): string {
  return `${id}.${Buffer.from(userId).toString("base64url")}`;
}

function partsOf(requestId: string): { readonly id: string; readonly userId: UserId } {
  const [id = "", user = ""] = requestId.split(".");
  return { id, userId: Buffer.from(user, "base64url").toString() };
}

/** What an approval is told as: which operation, and why it was asked for. */
function about({ operation, reason }: Pick<DeskRequest, "operation" | "reason">): Pick<AccountEvent, "stated"> {
  return { stated: cleanText(`${operation}: ${reason}`, MAX_REASON) };
}

/** A pass lets somebody in, or has: without a factor a login by one is all that there is to take. */
function restsOnPass(account: Account, now: number): boolean {
  return openPass(account, now) !== undefined || account.logins.some(({ proofs }) => proofs.some(isByPass));
}

/** The account without any factor, and without what would still let anybody in; undefined where there is nothing. */
function resetAccount(account: Account, now: number): Edited | undefined {
  if (account.factors.length === 0 && !restsOnPass(account, now)) return undefined;
  const left = startEpoch(voidPasses(withoutGrace(withoutFactors(account), now)), randomId());
  return {
    account: left,
    events: [...recoveryGone({ before: account, after: left }, now, "reset"), { action: "admin-reset" }],
  };
}

/** What a help desk does for somebody who calls, and how it takes more than one operator to do it. */
export abstract class AccountDesk extends AccountImports {
  /** Finding out who is on the line, before anything is done for them. */
  readonly callerCheck: CallerCheckOperations;

  constructor(
    dependencies: EngineDependencies,
    private readonly desk: DeskSettings = { approvals: 1 },
  ) {
    super(dependencies);
    const checks = new CallerChecks(dependencies);
    this.callerCheck = {
      begin: (userId, options) => checks.begin(userId, options),
      verify: (userId, number, options) => checks.verify(userId, number, options),
    };
  }

  /**
   * Removes every factor, backup code and trusted device, voids temporary passes, and ends every login. Answers whether there was
   * anything. The password alone opens the account then, unless the policy asks for more.
   *
   * @throws NotDoneError where another operator has to approve it first (`helpDesk: { approvals: 2 }`)
   *
   * @example
   * ```ts
   * const wasEnrolled = await mfa.accounts.reset(userId, { actor: "admin:42", reason: "Lost phone, ticket 4711" });
   * ```
   */
  async reset(userId: UserId, options: StaffOptions = {}): Promise<boolean> {
    const { clock, records } = this.dependencies;
    if (this.desk.approvals === 1) return this.edit(userId, options, (account) => resetAccount(account, clock()));
    const { account } = await records.read(userId);
    return resetAccount(account, clock()) === undefined ? false : this.ask(userId, { operation: "reset", ...options });
  }

  /**
   * Gives out a code that is typed at the challenge in the place of a second factor, for somebody who has lost theirs: the login is
   * complete with it (`amr: ["temporary-pass"]`, `aal: 1`), leads to setting a new factor up and can change nothing else; no
   * `mfa.require` is opened by it. It needs the password as well. It takes the place of one that could be typed until now, and is void
   * once a factor is set up, with `reset`, `signOutEverywhere` and `erase`, and when its owner reports it. The owner is told.
   *
   * Three are given to a user in a year. Does NOT remove the factors that are there, and does NOT show the code again.
   *
   * @throws NotDoneError where there were three, where changes are frozen, and where another operator has to approve it first
   *
   * @example
   * ```ts
   * const terms = { actor: "support:7", reason: "Lost phone, ticket 4711" };
   * const { code, expiresAt } = await mfa.accounts.issueTemporaryPass(userId, { ...terms, expiresIn: "30m" });
   * log.info(`A pass is good until ${expiresAt}`);
   * const letter = `Sign in with your password, choose “I have a temporary pass”, and type ${code}`;
   * ```
   */
  async issueTemporaryPass(userId: UserId, options: TemporaryPassOptions): Promise<TemporaryPass> {
    const terms = termsOf(options);
    if (this.desk.approvals === 2) return this.ask(userId, { operation: "issueTemporaryPass", ...options, terms });
    const { clock } = this.dependencies;
    const { actor } = options;
    let pass: TemporaryPass | undefined;
    await this.edit(userId, options, async (account) => {
      const { answer, ...issued } = await this.issue(account, { actor, now: clock(), terms });
      pass = answer;
      return issued;
    });
    if (pass === undefined) throw new Error("A pass was written down and is not known");
    return pass;
  }

  /**
   * Approves what another operator asked for within the last 15 minutes, and does it: once, however many approve it at a time. Answers
   * what was done; of a temporary pass the code, which nobody else is shown.
   *
   * @throws NotDoneError where nothing waits under that id, or not for `userId`, and where it cannot be done any more
   * @throws ConfigurationError where it is the same operator, or the user
   *
   * @example
   * ```ts
   * app.post("/support/approvals/:id", async (req, res) => {
   *   const done = await mfa.accounts.approve(req.params.id, { actor: "support:8", userId });
   *   res.json(done.operation === "reset" ? { userId: done.userId } : { code: done.code, expiresAt: done.expiresAt });
   * });
   * ```
   */
  async approve(requestId: string, { actor, userId: meant }: ApprovalOptions): Promise<ApprovedOperation> {
    const { id, userId } = partsOf(requestId);
    if (userId === "" || (meant !== undefined && userIdOf(meant) !== userId))
      throw new NotDoneError({ code: "expired" });
    if (isSameActor(actor, userId)) throw ownApproval("is the user themselves: another operator has to approve it");
    let answer: ApprovedOperation | undefined;
    await this.edit(userId, { actor }, async (account) => {
      const done = await this.approved(account, id, actor);
      ({ answer } = done);
      return done;
    });
    if (answer === undefined) throw new NotDoneError({ code: "expired" });
    return answer;
  }

  private async approved(account: Account, id: string, actor: string): Promise<Done> {
    const now = this.dependencies.clock();
    const request = openRequest(account, id, now);
    if (request === undefined) throw new NotDoneError({ code: "expired" });
    if (isSameActor(actor, request.actor)) throw ownApproval("has asked for it: another operator has to approve it");
    if (isReportedSince(account, request, now)) throw new NotDoneError({ code: "frozen" });
    const settled = withoutRequests(account, request.operation);
    const { answer, events, ...done } = await this.perform(settled, request, now);
    const by = { actor: request.actor, stated: request.reason };
    const given = { action: "approval-given", ...about(request) };
    return { ...done, answer, events: [given, ...events.map((event) => ({ ...event, ...by }))] };
  }

  private async perform(account: Account, request: DeskRequest, now: number): Promise<Done> {
    const { userId } = account;
    const { actor, operation, terms } = request;
    if (operation === "reset") {
      const edited = resetAccount(account, now) ?? { account, events: [] };
      return { ...edited, answer: { operation, userId } };
    }
    const issuing = { actor, now, terms: terms ?? { life: PASS_LIFE, uses: 1 } };
    const { answer: pass, ...issued } = await this.issue(account, issuing);
    return { ...issued, answer: { operation, userId, ...pass } };
  }

  private async issue(account: Account, issuing: Issuing): Promise<Edited & { readonly answer: TemporaryPass }> {
    const { code, event, expiresAt, ...issued } = await issuePass(this.dependencies, account, issuing);
    return { ...issued, events: [event], answer: { code, expiresAt: iso(expiresAt) } };
  }

  /** Writes down what another operator has to approve. @throws NotDoneError that names it */
  private async ask(userId: UserId, { actor = "", operation, reason = "", terms }: Asked): Promise<never> {
    const now = this.dependencies.clock();
    const by = { actor, reason: cleanText(reason, MAX_REASON) };
    const request: DeskRequest = { id: randomId(), operation, askedAt: now, ...by, ...(terms && { terms }) };
    await this.edit(userId, { actor }, (account) => {
      if (operation === "issueTemporaryPass") requirePassRoom(account, now);
      const events = [{ action: "approval-requested", ...about(request) }];
      return { account: withRequest(account, request, now), events };
    });
    const expiresAt = iso(now + REQUEST_LIFE);
    throw new NotDoneError({ code: "approval-required", requestId: requestIdOf(userId, request.id), expiresAt });
  }
}

function ownApproval(why: string): ConfigurationError {
  return new ConfigurationError([`mfa.accounts.approve: actor: ${why}`]);
}
