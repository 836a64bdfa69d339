import type { UserId } from "../../core/nouns.js";
import { sha256 } from "../../crypto/fingerprint.js";
import type { KeyProvider } from "../../crypto/key-provider.js";
import { randomId } from "../../crypto/random.js";
import { LinkTokens } from "../../engine/link-tokens.js";

/** What the id of a request says, to us alone: whose account it is kept in, and who asked. */
export interface NamedRequest {
  readonly userId: UserId;
  readonly askedBy: string;
}

function isNamedRequest(value: unknown): value is NamedRequest {
  if (typeof value !== "object" || value === null) return false;
  const { askedBy, userId } = value as Partial<Record<keyof NamedRequest, unknown>>;
  return typeof userId === "string" && typeof askedBy === "string";
}

/** Ids are carried by clients, as links in mails are. */
function tokensBy(keys: KeyProvider): LinkTokens<NamedRequest> {
  return new LinkTokens(keys, "push-request-id", isNamedRequest);
}

/**
 * An id for one request. It holds where the request is to be found, sealed, so that a device that nobody is logged in on can name it,
 * and that one of yesterday is still told from nonsense. No two are the same.
 */
export async function newRequestId(keys: KeyProvider, { askedBy, userId }: NamedRequest): Promise<string> {
  const only = { userId, askedBy, nonce: randomId() };
  return tokensBy(keys).seal(only);
}

/** What it says; undefined for what is no id of ours. Whether there still is such a request, only the account says. */
export async function namedRequest(keys: KeyProvider, requestId: string): Promise<NamedRequest | undefined> {
  // Base64 can write the same bytes in several ways, and an id is known by how it is written.
  const isWrittenSo = Buffer.from(requestId, "base64url").toString("base64url") === requestId;
  return isWrittenSo ? tokensBy(keys).open(requestId) : undefined;
}

/** What an account keeps of it. */
export function digestOfId(requestId: string): string {
  return sha256(requestId);
}

/**
 * For what it was asked within this login: for itself (no `operation`), or for the operation of that id. Undefined: by somebody else.
 */
export function askedWithin(
  { askedBy, userId }: NamedRequest,
  login: { readonly userId: UserId; readonly session: { readonly id: string } | undefined },
): { readonly operation?: string } | undefined {
  const { session } = login;
  if (session === undefined || userId !== login.userId) return undefined;
  if (askedBy === session.id) return {};
  // Ids hold no slash.
  const [id, operation] = askedBy.split("/");
  return id === session.id && operation !== undefined ? { operation } : undefined;
}
