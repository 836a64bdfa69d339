import type { ApprovalRequest } from "../../core/approvals.js";
import { tried } from "../../core/tried.js";
import type { KeyContext } from "../../crypto/key-provider.js";
import { openIfOurs } from "../../crypto/own-seals.js";
import { randomDigits } from "../../crypto/random.js";
import type { SealContext } from "../../engine/method.js";
import { digestOfId, newRequestId } from "./request-ids.js";

/** What is kept of a request for nobody but who asks and who is asked. */
export interface RequestContent {
  readonly requestId: string;
  /** Two digits. For whoever asks, and never for the device. */
  readonly number: string;
  /** What is to be approved, as both see it. */
  readonly text: string;
}

/** A request to be written down. */
export interface NewRequest extends RequestContent, Pick<ApprovalRequest, "digest" | "sealed"> {}

const NUMBER_DIGITS = 2;

/** Moved into another request it does not open. */
function contextOf(digest: string, { userId }: SealContext): KeyContext {
  return { owner: userId, purpose: `push-request/${digest}` };
}

function isContent(value: unknown): value is RequestContent {
  if (typeof value !== "object" || value === null) return false;
  const { number, requestId, text } = value as Partial<Record<keyof RequestContent, unknown>>;
  return [number, requestId, text].every((each) => typeof each === "string");
}

/** A request with an id and a number of its own. */
export async function newRequest(
  { askedBy, text }: { readonly askedBy: string; readonly text: string },
  context: SealContext,
): Promise<NewRequest> {
  const requestId = await newRequestId(context.keys, { userId: context.userId, askedBy });
  const digest = digestOfId(requestId);
  const content: RequestContent = { requestId, number: randomDigits(NUMBER_DIGITS), text };
  const sealed = await context.keys.encrypt(Buffer.from(JSON.stringify(content)), contextOf(digest, context));
  return { ...content, digest, sealed };
}

/** Undefined where a key has left the ring meanwhile: nobody can decide what nobody can read. */
export async function contentOf(
  { digest, sealed }: Pick<ApprovalRequest, "digest" | "sealed">,
  context: SealContext,
): Promise<RequestContent | undefined> {
  const bytes = await openIfOurs(context.keys, sealed, contextOf(digest, context));
  const value = bytes && tried((): unknown => JSON.parse(Buffer.from(bytes).toString()));
  return isContent(value) ? value : undefined;
}
