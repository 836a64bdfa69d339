import { type Account, activeFactorsOf, type Factor } from "../../core/account.js";
import { replaceFactor } from "../../core/account-changes.js";
import {
  type ApprovalRequest,
  type ApprovalState,
  stateOfRequest,
  withoutRequest,
  withRequest,
} from "../../core/approvals.js";
import { failure, OF_SENDING, type Outcome, type Problem, success } from "../../core/errors.js";
import { type FactorId, MINUTE, type UserId } from "../../core/nouns.js";
import { once } from "../../core/once.js";
import type { AccountRecord, AccountRecords, Change } from "../../engine/account-records.js";
import { countSend, deliver, type Written } from "../../engine/delivery.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import type { SealContext } from "../../engine/method.js";
import { endRecovery } from "../../engine/recovery-ends.js";
import type { Push } from "./method.js";
import { pauseOf } from "./pauses.js";
import { digestOfId } from "./request-ids.js";
import { contentOf, newRequest, type NewRequest } from "./sealed-requests.js";
import type { PushState } from "./state.js";
import { withoutReach } from "./subscriptions.js";
import { lastUsedDevice, type Waker, wakerOf } from "./wakers.js";

type Subject = Parameters<AccountRecords["change"]>[0];

/** A request is open that long, milliseconds. */
const REQUEST_LIFE = 2 * MINUTE;

/** What a device is to be asked, and for whom. */
export interface Asking {
  /** Who alone may use the answer: a login, an operation within it (`recipientOf`), or a random id of a call of the application's own. */
  readonly askedBy: string;
  /** What is to be approved, as its owner reads it: plain text. */
  readonly text: string;
  /** Default: of several devices the one used last. */
  readonly factorId?: FactorId | undefined;
  /** Where it was asked, for the owner to read. */
  readonly browser?: string | undefined;
  readonly ip?: string | undefined;
  /** Id of the browser that asks, which may not approve; undefined: no browser does. */
  readonly askingBrowser?: string | undefined;
  /** Of the site, as configured: an app that serves several asks there. */
  readonly origin?: string | undefined;
  /** How long it is open, milliseconds. Default: two minutes. */
  readonly life?: number;
  /** Waited for before the device hears of it. Where it rejects the request is taken back, and stays counted. */
  readonly announce?: (asked: Asked) => Promise<void>;
}

/** A request that a device was asked: for whoever asked, and nobody else. */
export interface Asked {
  readonly requestId: string;
  /** Two digits, to be shown to the owner by whoever asked, and typed on the device. In no message, no event and no log. */
  readonly number: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What came of a request, as whoever asked is shown it. */
export interface ShownRequest extends Asked {
  readonly state: ApprovalState;
  readonly device: Factor<PushState>;
}

/** May it be asked by the account as it is now? A problem refuses, and nothing is written. */
export type Admission = (record: AccountRecord, now: number) => Problem | undefined;

/** A request that was written down, and the device that is to be woken for it. */
interface Recorded extends Omit<Written, "message"> {
  readonly asked: Asked;
  readonly device: Factor<PushState>;
  readonly waker: Waker;
}

/** The request of an account by its digest, and the device that may decide it, as long as that is in force. */
export function requestIn(
  account: Account,
  digest: string,
): { readonly request: ApprovalRequest; readonly device: Factor<PushState> } | undefined {
  const request = account.approvals?.request;
  if (request?.digest !== digest) return undefined;
  const device = devicesIn(account).find(({ id }) => id === request.factorId);
  return device && { request, device };
}

/** Those that can be asked. */
function devicesIn(account: Account): readonly Factor<PushState>[] {
  return activeFactorsOf(account, "push") as readonly Factor<PushState>[];
}

/** What came of a request. One that another took the place of is over, as one whose device is gone. */
export function stateIn(account: Account, digest: string, now: number): ApprovalState {
  const found = requestIn(account, digest);
  return found === undefined ? "expired" : stateOfRequest(found.request, now);
}

/**
 * What devices are asked, for logins and for calls of the application's own: one request of an account at a time, whose place the next
 * one takes. Asks nothing again by itself. What devices answer is not taken here: see `Decisions`.
 */
export class PushRequests {
  constructor(
    private readonly push: Push,
    private readonly dependencies: EngineDependencies,
  ) {}

  /**
   * Asks a device, under the account's limits: `not-found` where there is none, `frozen` since the owner reported a request,
   * `too-many-attempts` by the limit `push` and after two misses in a row, `delivery-failed` where its channel did not take the message
   * or did not answer: then nothing is asked. `known`: spares the first reading of the account.
   */
  async ask(
    subject: Subject,
    asking: Asking,
    admit: Admission = () => undefined,
    known?: AccountRecord,
  ): Promise<Outcome<Asked>> {
    const context = this.contextOf(subject.userId);
    const fresh = once(() => newRequest(asking, context));
    const { result } = await this.dependencies.records.change<Outcome<Recorded>>(
      subject,
      async (record, now) => {
        const problem = admit(record, now);
        return problem === undefined
          ? this.record(record.account, asking, fresh, now)
          : { result: { ok: false, problem } };
      },
      known,
    );
    if (!result.ok) return result;
    const { asked } = result.value;
    const woken = await this.wake(subject, result.value, asking);
    return woken.ok ? success(asked) : woken;
  }

  /** The request that this one asked last, if the account still has it; with its number. */
  async shown(account: Account, askedBy: string): Promise<ShownRequest | undefined> {
    const request = account.approvals?.request;
    const found = request?.askedBy === askedBy ? requestIn(account, request.digest) : undefined;
    const content = found && (await contentOf(found.request, this.contextOf(account.userId)));
    if (found === undefined || content === undefined) return undefined;
    const { number, requestId } = content;
    const state = stateOfRequest(found.request, this.dependencies.clock());
    return { requestId, number, expiresAt: found.request.expiresAt, state, device: found.device };
  }

  /**
   * What came of a request, for a call of the application's own that asked it. `"approved"` is answered once: it is used up by that.
   * `askedBy`: as it was asked.
   */
  async answer(
    subject: Subject,
    { askedBy, requestId }: { readonly askedBy: string; readonly requestId: string },
  ): Promise<ApprovalState> {
    const { records } = this.dependencies;
    const digest = digestOfId(requestId);
    const { result } = await records.change<ApprovalState>(subject, ({ account }, now) => {
      const found = requestIn(account, digest);
      if (found?.request.askedBy !== askedBy) return { result: "expired" };
      const result = stateOfRequest(found.request, now);
      if (result !== "approved") return { result };
      const { account: proved, events } = endRecovery(account, now, "proof");
      const used = unasked(proved, digest);
      return { account: replaceFactor(used, { ...found.device, lastUsedAt: now }), result, events };
    });
    return result;
  }

  /** Takes a request back that nobody waits for any more. It stays counted, and is no miss. */
  async withdraw(subject: Subject, requestId: string): Promise<void> {
    await this.cancel(subject, digestOfId(requestId));
  }

  private contextOf(userId: UserId): SealContext {
    return { userId, keys: this.dependencies.keys };
  }

  private async record(
    account: Account,
    asking: Asking,
    fresh: () => Promise<NewRequest>,
    now: number,
  ): Promise<Change<Outcome<Recorded>>> {
    const { askedBy, askingBrowser, browser, factorId, ip, life = REQUEST_LIFE } = asking;
    const device = lastUsedDevice(devicesIn(account).filter(({ id }) => factorId === undefined || id === factorId));
    if (device === undefined) return { result: failure("not-found") };
    const problem = this.refusal(account, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const counted = countSend(this.dependencies, account, this.push.terms, now);
    if ("problem" in counted) return { result: { ok: false, problem: counted.problem } };
    const waker = await wakerOf(this.push, device, this.contextOf(account.userId));
    const { digest, number, requestId, sealed } = await fresh();
    const expiresAt = now + life;
    const place = { ...(browser !== undefined && { browser }), ...(ip !== undefined && { ip }) };
    const asker = { askedBy, ...(askingBrowser !== undefined && { askingBrowser }), ...place };
    const kept = { digest, factorId: device.id, ...asker, sealed, createdAt: now, expiresAt, wrongNumbers: 0 };
    const approvals = { ...withRequest(counted.account.approvals, kept, now), type: this.push.type };
    const next = { ...counted.account, approvals };
    const undo = (each: Account): Account => unasked(each, digest);
    const asked = { requestId, number, expiresAt };
    return { account: next, result: success({ asked, device, waker, counted: next.attempts, undo }) };
  }

  /** Why no device of the account is asked now, whoever asks; undefined where one is. */
  private refusal(account: Account, now: number): Problem | undefined {
    const pause = pauseOf(account, this.push.type, now);
    if (pause === undefined) return undefined;
    const { reason, retryAfter } = pause;
    return retryAfter === undefined
      ? { code: "frozen", members: { reason } }
      : { code: "too-many-attempts", retryAfter, members: { reason: OF_SENDING } };
  }

  /** Has the device told that there is something to decide. What nobody was told of is not asked. */
  private async wake(
    subject: Subject,
    { asked, device, waker, ...written }: Recorded,
    { announce, origin }: Asking,
  ): Promise<Outcome<undefined>> {
    const { dependencies, push } = this;
    const { requestId } = asked;
    const digest = digestOfId(requestId);
    try {
      await announce?.(asked);
      const message = { requestId, ...(origin !== undefined && { origin }) };
      const deliverMessage = (signal: AbortSignal): Promise<void> => waker.wake(message, signal);
      const sent = { type: push.type, send: push.terms };
      const woken = await deliver(dependencies, subject, sent, {
        ...written,
        message: { deliver: deliverMessage, by: waker.by },
      });
      if (!woken.ok) await this.cancel(subject, digest, waker.isGone() ? device : undefined);
      return woken;
    } catch (error) {
      // Whoever asks is shown no number, so nobody can approve it.
      await this.cancel(subject, digest).catch(() => undefined);
      throw error;
    }
  }

  /** `unreachable`: a device that is not reached any more where it was. It stays, and asks by itself. */
  private async cancel(subject: Subject, digest: string, unreachable?: Factor<PushState>): Promise<void> {
    await this.dependencies.records.change<undefined>(subject, ({ account }) => {
      const left = unasked(account, digest);
      const device = unreachable && devicesIn(left).find(({ id }) => id === unreachable.id);
      // It may have said meanwhile where it is reached now.
      const isSame = device?.state.reached?.subscription === unreachable?.state.reached?.subscription;
      if (device === undefined || !isSame) return { ...(left !== account && { account: left }), result: undefined };
      const about = { method: this.push.type, factorId: device.id, label: device.label };
      const event = { action: "push-unreachable", ...about } as const;
      const quiet = { ...device, state: withoutReach(device.state) };
      return { account: replaceFactor(left, quiet), result: undefined, events: [event] };
    });
  }
}

/** Without that request, where the account still has it. */
export function unasked(account: Account, digest: string): Account {
  const { approvals } = account;
  if (approvals?.request?.digest !== digest) return account;
  return { ...account, approvals: withoutRequest(approvals, digest) };
}
