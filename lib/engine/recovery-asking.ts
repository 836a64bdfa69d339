import type { Account } from "../core/account.js";
import { countAttempt } from "../core/attempts.js";
import { type Outcome, type Problem, success } from "../core/errors.js";
import {
  CONFIRM_LIFE,
  countingOf,
  type EvidenceKind,
  type EvidenceWaits,
  type Recovery,
  RECOVERY_LIMIT,
  recoveryOf,
  type RecoveryState,
  stateOf,
  withRequested,
} from "../core/recovery.js";
import { randomId } from "../crypto/random.js";
import type { Change } from "./account-records.js";
import { limitRefusal } from "./counting.js";
import type { EngineDependencies } from "./dependencies.js";
import type { LoginContext } from "./login-context.js";
import { type OldCode, showOldCode } from "./old-codes.js";
import { type ApproveRecovery, readied } from "./recovery-due.js";
import { sealReach } from "./recovery-links.js";

/** How owners come back who have lost every factor. */
export interface RecoverySettings {
  /** Milliseconds. */
  readonly wait: number;
  /** The last word, when the wait is over. Undefined: there is none. */
  readonly approve: ApproveRecovery | undefined;
  /** How long to wait where something was shown. */
  readonly evidence: EvidenceWaits;
}

/** Why this login asks for no recovery; undefined where it may. */
function askingProblem({ session, status }: LoginContext): Problem | undefined {
  if (status.status === "ended") return { code: "expired" };
  const hasLost = status.status === "pending" || status.status === "trusted-device";
  return hasLost && session !== undefined ? undefined : { code: "conflict" };
}

/** Whoever was setting up a factor with it is not any more: another link is asked for. */
function withoutLogin({ completed: _before, ...recovery }: Recovery): Recovery {
  return recovery;
}

/** What becomes of a request to recover: counted, refused without a word, or a link mailed. */
export class RecoveryRequests {
  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly settings: Pick<RecoverySettings, "evidence">,
  ) {}

  /** Counts the request. `code`: of an older set of backup codes, as it is compared. */
  async ask(
    login: LoginContext,
    code: Exclude<OldCode, "unreadable"> | undefined,
    now: number,
  ): Promise<Change<Outcome<{ readonly expiresAt: number }>>> {
    const problem = askingProblem(login);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const { limits } = this.dependencies;
    const { account } = login.record;
    const limited = limitRefusal(this.dependencies, account, { kinds: [RECOVERY_LIMIT], scope: "login" }, now);
    if (limited !== undefined) return limited.change;
    const shown = code === undefined ? { account } : await showOldCode(this.dependencies, account, code, now);
    if ("change" in shown) return shown.change;
    const { account: counted } = countAttempt(shown.account, [RECOVERY_LIMIT], "login", limits, now);
    const evidence = this.evidenceOf(login, code !== undefined);
    const asked = await this.asked(login, counted, evidence, now);
    return { ...asked, result: success({ expiresAt: now + CONFIRM_LIFE }) };
  }

  /** What is shown with a request, of what counts. */
  private evidenceOf({ status }: LoginContext, hasOldCode: boolean): readonly EvidenceKind[] {
    const shown: EvidenceKind[] = [
      ...(status.status === "trusted-device" ? ["trusted-browser" as const] : []),
      ...(hasOldCode ? ["old-backup-code" as const] : []),
    ];
    return shown.filter((each) => this.settings.evidence[each] !== undefined);
  }

  /** What becomes of a request that was counted. */
  private async asked(
    login: LoginContext,
    account: Account,
    evidence: readonly EvidenceKind[],
    now: number,
  ): Promise<Pick<Change<never>, "account" | "events">> {
    const recovery = recoveryOf(account, now);
    const state = stateOf(recovery);
    // After its last minute there is no other link, and whoever has used one in time goes on.
    if (recovery?.linkUntil !== undefined && recovery.linkUntil > now)
      return readied(account, withoutLogin(recovery), now);
    const { label: browser } = login.source;
    const { ip } = login.source.client;
    const asked = {
      by: login.session?.id ?? "",
      link: randomId(),
      reach: await sealReach(this.dependencies.keys, login.userId, login.source),
      browser,
      ...(ip !== undefined && { ip }),
      evidence,
    };
    const reason = this.refusal(login, state);
    // Refused only now: how long it takes must not say that nothing came of it.
    if (reason !== undefined) return { account, events: [{ action: "recovery-refused", reason }] };
    const next = withRequested(account, asked, randomId(), now);
    const counting = countingOf(next.recovery ?? {}, this.settings.evidence);
    return { account: next, events: [{ action: "recovery-requested", ...(counting && { reason: counting }) }] };
  }

  /** Why no link is sent; undefined where one is. */
  private refusal({ record, source }: LoginContext, state: RecoveryState): string | undefined {
    if (record.account.refusesRecovery === true) return "opted-out";
    const { email, emailVerified } = source.contact;
    // A link must not go to whoever typed an address that nobody has proved.
    if (email === undefined || emailVerified === false) return "no-address";
    return state === "waiting" || state === "ready" ? "waiting" : undefined;
  }
}
