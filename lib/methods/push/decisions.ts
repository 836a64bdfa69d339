import type { Account, Factor } from "../../core/account.js";
import {
  type ApprovalRequest,
  type Approvals,
  decided,
  isReported,
  openRequest,
  stateOfRequest,
  withReported,
  withWrongNumber,
} from "../../core/approvals.js";
import { decideLines, type PushDecision, requestsLines } from "../../core/device-lines.js";
import { failure, type Outcome, success } from "../../core/errors.js";
import type { Client, UserId } from "../../core/nouns.js";
import { isSameText } from "../../crypto/digests.js";
import type { Change } from "../../engine/account-records.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import { type DeviceClaim, devicesOf, type FoundDevice, signingDevice } from "./device-lookup.js";
import { isSignedBy } from "./keys.js";
import type { Push } from "./method.js";
import { REPORTED } from "./pauses.js";
import { digestOfId, namedRequest } from "./request-ids.js";
import { requestIn } from "./requests.js";
import { contentOf, type RequestContent } from "./sealed-requests.js";
import { NO_NOTIFICATIONS, type PushState } from "./state.js";

/** What a device is asked. The number is no part of it. */
export interface OpenRequest {
  readonly requestId: string;
  readonly text: string;
  readonly browser?: string;
  readonly ip?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What a device is told when it asks. */
export interface Listed {
  readonly requests: readonly OpenRequest[];
  /** Whether messages wake it. Where it was forgotten by what they go through, it says anew how it is reached. */
  readonly reached: boolean;
}

/** A device's answer, as it was sent. */
export interface Decision {
  readonly requestId: string;
  readonly decision: PushDecision;
  /** As typed. */
  readonly number?: string | undefined;
  readonly signature: string;
}

/** Where an answer comes from, as far as its request tells. Nothing of it lets anybody decide; it only refuses. */
export interface Sender {
  readonly client: Client;
  readonly browser: string;
  /** Whose session it was sent in; undefined: nobody's. */
  readonly userId: UserId | undefined;
  /** It was sent by the login that asked, or by its browser. */
  isAsker(request: Pick<ApprovalRequest, "askedBy" | "askingBrowser">): boolean;
}

type AccountEvent = NonNullable<Change<undefined>["events"]>[number];

/** One request on its way to be decided. */
interface Case {
  readonly approvals: Approvals;
  readonly request: ApprovalRequest;
  readonly device: Factor<PushState>;
  readonly content: RequestContent;
}

/** What a decision makes of the account's approvals, what is told of it, and what the device is answered. */
interface Ruling {
  readonly approvals: Approvals;
  readonly events: readonly AccountEvent[];
  readonly result: Outcome<undefined>;
}

const WRONG_NUMBER = "wrong-number";
const WRONG = failure("invalid-code", { isFailedAttempt: true });
/** Only a device whose signature was right hears that it is the number: its owner reads that, and no word of codes. */
const MISREAD = failure("invalid-code", { isFailedAttempt: true, members: { reason: WRONG_NUMBER } });

/**
 * What devices answer. Nobody is logged in on them: a signature by the key of the device that was asked is all that lets them. Of
 * simultaneous answers to one request one is taken.
 */
export class Decisions {
  constructor(
    private readonly push: Push,
    private readonly dependencies: EngineDependencies,
  ) {}

  /** What this device is asked now. One that a report has suspended is asked nothing. */
  async list(claim: DeviceClaim): Promise<Outcome<Listed>> {
    const found = await signingDevice(this.dependencies, claim, requestsLines(claim.factorId, claim.time));
    if (!found.ok) return found;
    const reached = this.push.hint(found.value.device) !== NO_NOTIFICATIONS;
    return success({ requests: await this.openFor(found.value), reached });
  }

  private async openFor({ device, record, userId }: FoundDevice): Promise<readonly OpenRequest[]> {
    const request = openRequest(record.account.approvals, this.dependencies.clock());
    if (request?.factorId !== device.id || device.suspended === true) return [];
    const content = await contentOf(request, { userId, keys: this.dependencies.keys });
    if (content === undefined) return [];
    const { browser, expiresAt, ip } = request;
    const place = { ...(browser !== undefined && { browser }), ...(ip !== undefined && { ip }) };
    return [{ requestId: content.requestId, text: content.text, ...place, expiresAt }];
  }

  /** Takes an answer. `expired` for a request that is decided, over or used, or that another took the place of. */
  async decide(decision: Decision, sender: Sender): Promise<Outcome<undefined>> {
    const { keys, records } = this.dependencies;
    const named = await namedRequest(keys, decision.requestId);
    // Whoever names what was never asked is guessing.
    if (named === undefined) return failure("not-found", { isFailedAttempt: true });
    const { browser, client } = sender;
    const { result } = await records.change<Outcome<undefined>>(
      { userId: named.userId, client, browser },
      ({ account }, now) => this.judge(account, decision, sender, now),
    );
    return result;
  }

  private async judge(
    account: Account,
    decision: Decision,
    sender: Sender,
    now: number,
  ): Promise<Change<Outcome<undefined>>> {
    const found = requestIn(account, digestOfId(decision.requestId));
    if (found === undefined || stateOfRequest(found.request, now) !== "waiting") return { result: failure("expired") };
    const content = await contentOf(found.request, { userId: account.userId, keys: this.dependencies.keys });
    const { approvals } = account;
    if (content === undefined || approvals === undefined) return { result: failure("expired") };
    const lines = decideLines({ ...decision, text: content.text });
    if (!isSignedBy(found.device.state.publicKey, lines, decision.signature))
      return this.unsigned(account, { ...decision, lines, deviceId: found.device.id }, sender);
    const ruling = this.rule({ ...found, approvals, content }, decision, sender, now);
    const isChange = ruling.approvals !== approvals;
    return { ...ruling, ...(isChange && { account: { ...account, approvals: ruling.approvals } }) };
  }

  /** Signed by another device of the account's, or sent in somebody else's session, it is not for them to decide; no try is used. */
  private unsigned(
    account: Account,
    { deviceId, lines, signature }: Decision & { readonly lines: string; readonly deviceId: string },
    { userId }: Sender,
  ): Change<Outcome<undefined>> {
    const isOther = devicesOf(account).some(({ state }) => isSignedBy(state.publicKey, lines, signature));
    if (isOther) return { result: failure("not-found") };
    if (userId !== undefined && userId !== account.userId)
      return { result: failure("not-found", { isFailedAttempt: true }) };
    return { result: WRONG, events: [this.failed(deviceId, "signature")] };
  }

  private rule(found: Case, { decision, number = "" }: Decision, sender: Sender, now: number): Ruling {
    const { approvals, content, device, request } = found;
    const about = { method: this.push.type, factorId: device.id, label: device.label };
    const refuse = (result: Outcome<never>, reason: string): Ruling => {
      return { approvals, result, events: [this.failed(device.id, reason)] };
    };
    // Whoever looks at the number and types it where it is shown has shown nothing.
    if (decision === "approve" && sender.isAsker(request)) return refuse(failure("same-browser"), "same-browser");
    if (isReported(approvals, this.push.type))
      return refuse(failure("frozen", { members: { reason: REPORTED } }), REPORTED);
    if (decision === "not-me") {
      const event = { action: "push-reported", ...about } as const;
      const reported = withReported(approvals, request, this.push.type, now);
      return { approvals: reported, events: [event], result: success(undefined) };
    }
    if (decision === "deny") {
      const event = { action: "push-denied", ...about } as const;
      return { approvals: decided(approvals, request, "denied", now), events: [event], result: success(undefined) };
    }
    if (!isSameText(number, content.number)) return this.misread(found, now);
    const event = { action: "push-approved", method: this.push.type, factorId: device.id } as const;
    return { approvals: decided(approvals, request, "approved", now), events: [event], result: success(undefined) };
  }

  private misread({ approvals, device, request }: Case, now: number): Ruling {
    const next = withWrongNumber(approvals, request, now);
    const about = { method: this.push.type, factorId: device.id, label: device.label, outcome: "failure" } as const;
    const isDenied = next.request?.decision === "denied";
    const denied = isDenied ? [{ action: "push-denied", ...about, reason: WRONG_NUMBER }] : [];
    return { approvals: next, events: [this.failed(device.id, WRONG_NUMBER), ...denied], result: MISREAD };
  }

  private failed(factorId: string, reason: string): AccountEvent {
    return { action: "factor-failed", method: this.push.type, factorId, reason, outcome: "failure" };
  }
}
