import { urlIn } from "../core/urls.js";
import { isOnP256 } from "../crypto/public-keys.js";

/** As much as is used of what `PushSubscription.toJSON()` answers in a browser. */
export interface BrowserSubscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** Those of the browsers' services have some two hundred, up to a thousand. */
const LONGEST_ENDPOINT = 2048;
/** RFC 8291 section 3.1: a point on P-256, uncompressed. */
const KEY = /^[A-Za-z0-9_-]{87}$/;
/** RFC 8291 section 3.2: 16 bytes. */
const AUTH = /^[A-Za-z0-9_-]{22}$/;

/** Whether a text is a point on P-256: base64url of 65 bytes, the first of which says that both coordinates follow. */
export function isPoint(text: unknown): text is string {
  if (typeof text !== "string" || !KEY.test(text)) return false;
  const bytes = Buffer.from(text, "base64url");
  return bytes[0] === 4 && isOnP256(bytes.subarray(1, 33), bytes.subarray(33));
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value) as Readonly<Record<string, unknown>>;
}

/** What a client calls a subscription, if it is one; where it leads to is not looked at. */
export function browserSubscription(given: unknown): BrowserSubscription | undefined {
  const { endpoint, keys } = membersOf(given);
  const { p256dh, auth } = membersOf(keys);
  if (typeof endpoint !== "string" || endpoint.length > LONGEST_ENDPOINT || urlIn(endpoint) === undefined)
    return undefined;
  if (typeof auth !== "string" || !AUTH.test(auth) || !isPoint(p256dh)) return undefined;
  return { endpoint, keys: { p256dh, auth } };
}
