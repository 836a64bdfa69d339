import * as v from "valibot";
import { type Json, jsonFlaw } from "../../core/json.js";
import { endOtherSessions } from "../../http/other-sessions.js";
import { checkbox, fromNewPhone, optional, reader, replaces, text } from "../../http/schemas.js";
import type { DeviceClaim } from "./device-lookup.js";
import type { Reach } from "./subscriptions.js";

/** An empty field is a missing one. */
export const filled = v.pipe(text, v.minLength(1));

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
export const empty = v.pipe(
  v.literal(""),
  v.transform(() => undefined),
);

/** When a device signed, as it was sent and as it was signed: ISO 8601, or milliseconds since the epoch. */
export const time = v.pipe(
  v.union([v.string(), v.pipe(v.number(), v.safeInteger())]),
  v.transform(String),
  v.minLength(1),
  v.maxLength(40),
);

export const readDeviceOptions = reader(v.object({ password: optional(text), replaces }));

const readDeviceFields = reader(
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
    from: fromNewPhone,
    replaces,
  }),
);

const readRenewalFields = reader(
  v.object({ factorId: filled, time, channel: filled, subscription: v.string(), signature: filled }),
);

type DeviceFields = NonNullable<ReturnType<typeof readDeviceFields>>;
type DeviceBody = Omit<DeviceFields, "channel" | "subscription"> & { readonly reach?: Reach };

/** A new device. How it is reached is said whole, or not at all: then it asks by itself. */
export function readDevice(body: unknown): DeviceBody | undefined {
  const read = readDeviceFields(body);
  if (read === undefined) return undefined;
  const { channel, subscription: to, ...device } = read;
  if (channel === undefined || to === undefined) return channel === to ? device : undefined;
  return { ...device, reach: { channel, subscription: to } };
}

/** What a device says of where it is reached. */
export interface Renewal {
  readonly claim: DeviceClaim;
  /** The subscription, as it was sent and signed. */
  readonly signed: string;
  readonly reach: Reach;
}

export function readRenewal(body: unknown): Renewal | undefined {
  const read = readRenewalFields(body);
  if (read === undefined) return undefined;
  const { channel, subscription: signed, ...claim } = read;
  const to = readOrToken(signed);
  return isSubscription(to) ? { claim, signed, reach: { channel, subscription: to } } : undefined;
}
