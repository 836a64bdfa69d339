import { DeliveryError } from "../core/delivery-error.js";
import { ConfigurationError } from "../core/errors.js";
import type { Clock } from "../core/nouns.js";
import type { PushChannel } from "../core/push-channel.js";
import { makesTakers } from "../core/takers.js";
import { AccessTokens, type FirebaseServiceAccount } from "./access-tokens.js";
import { failureIn, type FirebaseAlert, firebaseMessage, isLockedOut, WHAT } from "./firebase-messages.js";
import { firebaseProblems } from "./firebase-options.js";
import { type FetchLike, post, type Said } from "./requests.js";

export interface FirebaseOptions {
  /** What is in the JSON file of a service account that may send messages (role "Firebase Cloud Messaging API Admin"). */
  readonly serviceAccount: FirebaseServiceAccount;
  /**
   * What iPhones show by themselves. Without it an app in the background is woken silently, when iOS finds it convenient, and one that
   * was swiped away is not woken at all. Default: none. Android is not given it: there the app is woken, and shows what it knows.
   */
  readonly alert?: FirebaseAlert;
  /** Where messages are sent. Default: `"https://fcm.googleapis.com"`. */
  readonly endpoint?: string;
  /** For a proxy: undici's `fetch` with a dispatcher of yours. Default: Node's. */
  readonly fetch?: FetchLike;
  /** For tests: what is taken for the time, in milliseconds. Default: `Date.now`. */
  readonly clock?: Clock;
}

/** An app registers at Firebase for its token; it is opaque, and goes nowhere but to Firebase. */
const TOKEN = /^[\x21-\x7e]{20,2048}$/;

function tokenOf(subscription: unknown): string | undefined {
  const { token = subscription } = Object(subscription) as { readonly token?: unknown };
  return typeof token === "string" && TOKEN.test(token) ? token : undefined;
}

/**
 * A channel of `push()`: wakes an app on Android and iOS over Firebase Cloud Messaging, by its HTTP v1 interface and with nothing but
 * `fetch`. A device's subscription is `{ token }`, or the registration token itself. The app is given `requestId` and `origin` as data,
 * and asks the site itself what is asked.
 *
 * Does NOT send anything again by itself, whatever Firebase says about when to. A token that is registered no more is a rejection with
 * `gone: true`; everything else that is refused is a `DeliveryError` with Firebase's name for it (`QUOTA_EXCEEDED`,
 * `SENDER_ID_MISMATCH`: the app belongs to another project) and without its words.
 *
 * @throws ConfigurationError where the service account is none, or for an option it does not have
 *
 * @example
 * ```ts
 * import { backupCodes, push, totp } from "express-second-factor";
 * import { firebase } from "express-second-factor/firebase";
 *
 * const serviceAccount = JSON.parse(process.env.FIREBASE_SERVICE_ACCOUNT ?? "{}");
 * const alert = { title: "Acme", body: "Somebody is signing in. Is it you?" };
 * const channels = [firebase({ serviceAccount, alert })];
 * app.use(secondFactor({ ..., methods: [totp(), push({ channels }), backupCodes()] }));
 * ```
 */
export function firebase(options: FirebaseOptions): PushChannel {
  const problems = firebaseProblems(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { alert, clock = Date.now, endpoint = "https://fcm.googleapis.com", serviceAccount } = options;
  const fetch: FetchLike = options.fetch ?? globalThis.fetch;
  const tokens = new AccessTokens({ serviceAccount, fetch, clock });
  const url = `${endpoint.replace(/\/$/, "")}/v1/projects/${encodeURIComponent(serviceAccount.project_id)}/messages:send`;
  const sent = (access: string, body: string, signal: AbortSignal | undefined): Promise<Said> => {
    const headers = { Authorization: `Bearer ${access}`, "Content-Type": "application/json" };
    return post({ what: WHAT, fetch, url, headers, body, signal });
  };
  return {
    name: "firebase",
    problem: (subscription) => (tokenOf(subscription) === undefined ? "not-a-token" : undefined),
    async send(subscription, { requestId, origin }, { signal }: { readonly signal?: AbortSignal } = {}) {
      const token = tokenOf(subscription);
      if (token === undefined) throw new DeliveryError(WHAT, { code: "not-a-token" });
      const data = { requestId, ...(origin !== undefined && { origin }) };
      const body = JSON.stringify(firebaseMessage({ token, data, alert, now: clock() }));
      const access = await tokens.current(signal);
      const first = await sent(access, body, signal);
      const said = isLockedOut(first) ? await sent(await tokens.instead(access, signal), body, signal) : first;
      const failure = failureIn(said);
      if (failure !== undefined) throw failure;
    },
  };
}

makesTakers(firebase, "firebase({ serviceAccount })");
