import type { UserId } from "../../core/nouns.js";
import { tried } from "../../core/tried.js";
import { sha256 } from "../../crypto/fingerprint.js";
import type { KeyContext, KeyProvider } from "../../crypto/key-provider.js";
import { openIfOurs } from "../../crypto/own-seals.js";
import { randomId } from "../../crypto/random.js";

/** What the id of a request says, to us alone: whose account it is kept in, and who asked. */
export interface NamedRequest {
  readonly userId: UserId;
  readonly askedBy: string;
}

/** No key provider makes as much of the few members above; what is longer is not shown to one. */
const LONGEST = 4_096;
const CONTEXT: KeyContext = { owner: "", purpose: "push-request-id" };

function isNamedRequest(value: unknown): value is NamedRequest {
  if (typeof value !== "object" || value === null) return false;
  const { askedBy, userId } = value as Partial<Record<keyof NamedRequest, unknown>>;
  return typeof userId === "string" && typeof askedBy === "string";
}

/**
 * An id for one request. It holds where the request is to be found, sealed, so that a device that nobody is logged in on can name it,
 * and that one of yesterday is still told from nonsense. No two are the same.
 */
export async function newRequestId(keys: KeyProvider, { askedBy, userId }: NamedRequest): Promise<string> {
  const text = JSON.stringify({ userId, askedBy, nonce: randomId() });
  return Buffer.from(await keys.encrypt(Buffer.from(text), CONTEXT)).toString("base64url");
}

/** What it says; undefined for what is no id of ours. Whether there still is such a request, only the account says. */
export async function namedRequest(keys: KeyProvider, requestId: string): Promise<NamedRequest | undefined> {
  if (requestId === "" || requestId.length > LONGEST) return undefined;
  const text = Buffer.from(requestId, "base64url");
  // Base64 can write the same bytes in several ways, and an id is known by how it is written.
  if (text.toString("base64url") !== requestId) return undefined;
  const bytes = await openIfOurs(keys, text.toString(), CONTEXT);
  const value = bytes && tried((): unknown => JSON.parse(Buffer.from(bytes).toString()));
  return isNamedRequest(value) ? value : undefined;
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
