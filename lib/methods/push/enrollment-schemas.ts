import * as v from "valibot";
import { type Json, jsonFlaw } from "../../core/json.js";
import { endOtherSessions } from "../../http/other-sessions.js";
import { checkbox, optional, reader, text } from "../../http/schemas.js";
import type { Reach } from "./subscriptions.js";

/** An empty field is a missing one. */
const filled = v.pipe(text, v.minLength(1));

/** What a key provider makes of a challenge may be longer than what ours does. */
const challenge = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));

/** Bytes of JSON. */
const LONGEST_SUBSCRIPTION = 4096;

/** What a text in JSON says, where that is an object or a text; else the text itself, which is then a token. */
function readOrToken(text: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    return (typeof value === "object" && value !== null) || typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}

function isSubscription(value: unknown): value is Json {
  const isOne = typeof value === "string" ? value !== "" : typeof value === "object" && !Array.isArray(value);
  if (!isOne || value === null || jsonFlaw(value) !== undefined) return false;
  return Buffer.byteLength(JSON.stringify(value)) <= LONGEST_SUBSCRIPTION;
}

/** What a browser or an app was given by its push service: an object, from a form as JSON text; or a token. */
const subscription = v.pipe(
  v.unknown(),
  v.transform((value) => (typeof value === "string" ? readOrToken(value) : value)),
  v.custom<Json>(isSubscription),
);

/** A field that a form leaves empty. */
const empty = v.pipe(
  v.literal(""),
  v.transform(() => undefined),
);

/** Both or neither: how a device is reached, or that it asks by itself. */
function reachOf(given: { readonly channel?: string | undefined; readonly subscription?: Json | undefined }): {
  readonly reach?: Reach;
} {
  const { channel, subscription: to } = given;
  return channel === undefined || to === undefined ? {} : { reach: { channel, subscription: to } };
}

/** When a device signed, as it was sent and as it was signed: ISO 8601, or milliseconds since the epoch. */
const time = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.safeInteger())]),
  v.transform(String),
  v.minLength(1),
  v.maxLength(40),
);

/** By which a device says who it is. */
export const deviceClaim = { factorId: filled, time, signature: filled };

export const readDeviceOptions = reader(v.object({ password: optional(text) }));

export const readDevice = reader(
  v.pipe(
    v.object({
      publicKey: filled,
      challenge,
      signature: filled,
      label: optional(text),
      channel: optional(v.union([empty, text])),
      subscription: optional(v.union([empty, subscription])),
      hardware: checkbox,
      password: optional(text),
      endOtherSessions,
    }),
    v.check((given) => (given.channel === undefined) === (given.subscription === undefined)),
    v.transform(({ channel, subscription: to, ...given }) => ({
      ...given,
      ...reachOf({ channel, subscription: to }),
    })),
  ),
);

/** The text of a subscription is what was signed. */
export const readRenewal = reader(
  v.pipe(
    v.object({ ...deviceClaim, channel: filled, subscription: v.string() }),
    v.transform(({ channel, subscription: signed, ...claim }) => ({
      claim,
      signed,
      reach: { channel, subscription: readOrToken(signed) },
    })),
    v.check(({ reach }) => isSubscription(reach.subscription)),
  ),
);
