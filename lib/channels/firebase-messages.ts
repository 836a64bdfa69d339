import { DeliveryError } from "../core/delivery-error.js";
import { SECOND } from "../core/nouns.js";
import type { Said } from "./requests.js";

/** As long as a request lives: what arrives later would ask what nobody asks any more. */
const LIFE_SECONDS = 120;

/** How errors begin: by which of several channels. */
export const WHAT = "The Firebase message";

/** What a phone shows by itself, where the app is not asked: no names, nothing that is secret. */
export interface FirebaseAlert {
  /** `"Acme"`. */
  readonly title: string;
  /** `"Somebody is signing in. Is it you?"`. */
  readonly body: string;
}

export interface MessageTerms {
  readonly token: string;
  readonly data: Readonly<Record<string, string>>;
  readonly alert: FirebaseAlert | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Apple lets an alert through at once. Without one there is nothing to show, and 10 is refused for that: an app is woken as there is time. */
function apns(alert: FirebaseAlert | undefined, now: number): object {
  const [type, priority, aps] =
    alert === undefined
      ? ["background", "5", { "content-available": 1 }]
      : ["alert", "10", { alert, sound: "default", "mutable-content": 1 }];
  const expiration = String(Math.floor(now / SECOND) + LIFE_SECONDS);
  return {
    headers: { "apns-push-type": type, "apns-priority": priority, "apns-expiration": expiration },
    payload: { aps },
  };
}

/** The body of `projects.messages.send`. On Android the app itself says what is shown, so that it can say what is asked. */
export function firebaseMessage({ alert, data, now, token }: MessageTerms): object {
  const android = { priority: "HIGH", ttl: `${LIFE_SECONDS}s` };
  return { message: { token, data, android, apns: apns(alert, now) } };
}

/** As much of an answer (`google.rpc.Status`) as is read. */
interface Refusal {
  readonly code: unknown;
  readonly isOfToken: boolean;
}

function listed(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map((each) => Object(each) as Readonly<Record<string, unknown>>) : [];
}

function refusalOf(body: unknown): Refusal {
  const { error } = Object(body) as { readonly error?: unknown };
  const { details, message, status } = Object(error) as Readonly<Record<string, unknown>>;
  const said = listed(details);
  const code = said.map(({ errorCode }) => errorCode).find((each) => typeof each === "string");
  const fields = said.flatMap(({ fieldViolations }) => listed(fieldViolations)).map(({ field }) => field);
  const names = fields.length > 0 ? fields.includes("message.token") : /registration token/i.test(String(message));
  return { code: code ?? status, isOfToken: names };
}

/** The access token was not taken, and another one may be. That Apple does not take the project's key is a 401 too. */
export function isLockedOut({ body, status }: Said): boolean {
  return status === 401 && refusalOf(body).code !== "THIRD_PARTY_AUTH_ERROR";
}

const MISFIT = "the app of this device belongs to another Firebase project than the service account";

/**
 * Why a message was not taken; undefined where it was. Only what says so of the device's own token is its end: a mistake in the message
 * or in the project would else take out everybody's.
 */
export function failureIn({ body, status }: Said): DeliveryError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const { code, isOfToken } = refusalOf(body);
  const isUnregistered = status === 404 && code === "UNREGISTERED";
  const gone = isUnregistered || (status === 400 && code === "INVALID_ARGUMENT" && isOfToken);
  return new DeliveryError(WHAT, { code, status, gone, ...(code === "SENDER_ID_MISMATCH" && { hint: MISFIT }) });
}
