import { attempt } from "../core/attempt.js";
import { DeliveryError, type DeliveryReason } from "../core/delivery-error.js";
import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import type { PushChannel } from "../core/push-channel.js";
import { makesTakers } from "../core/takers.js";
import { connectionReason } from "./requests.js";

/** One text for every language, or one for each that OneSignal knows; a device without its own reads `en`. */
export type OneSignalText = string | { readonly en: string; readonly [language: string]: string };

/** What `createNotification` is given. */
export interface OneSignalNotification {
  app_id: string;
  target_channel: "push";
  include_subscription_ids: string[];
  headings: Record<string, string>;
  contents: Record<string, string>;
  data: Record<string, string>;
  /** Seconds. */
  ttl: number;
  /** 10: at once. */
  priority: number;
}

/** As much of OneSignal's client (`DefaultApi`) as is used. */
export interface OneSignalClient {
  createNotification(notification: OneSignalNotification): PromiseLike<unknown>;
}

export interface OneSignalOptions {
  /** `new DefaultApi(createConfiguration({ restApiKey }))`. It has no time-out of its own but fetch's, five minutes. */
  readonly client: OneSignalClient;
  /** The app's id at OneSignal, a UUID. */
  readonly appId: string;
  /** The notification's title. It names nobody: locked screens show it. Default: `"Approve a sign-in"`. */
  readonly heading?: OneSignalText;
  /** Its text, likewise. Default: `"Open the app to see what is asked."`. */
  readonly content?: OneSignalText;
}

const OPTIONS = ["client", "appId", "heading", "content"] satisfies (keyof OneSignalOptions)[];
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** As long as a request lives, in seconds. */
const TIME_TO_LIVE = 120;
const AT_ONCE = 10;
/** How its errors begin: by which of several channels. */
const WHAT = "The OneSignal message";

type Given = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Given {
  return Object(value) as Given;
}

function isClient(given: unknown): boolean {
  return typeof membersOf(given)["createNotification"] === "function";
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}

function isText(text: unknown): boolean {
  if (text === undefined || isWord(text)) return true;
  return typeof text === "object" && isWord(membersOf(text)["en"]) && Object.values(membersOf(text)).every(isWord);
}

function problemsOf(options: OneSignalOptions): string[] {
  if (isClient(options)) return ["oneSignal: the client is one of the options: { client, appId }"];
  const { appId, client, content, heading } = membersOf(options);
  const odd = Object.entries({ heading, content }).filter(([, text]) => !isText(text));
  return [
    ...optionsProblems(options, OPTIONS, "oneSignal: "),
    ...(isClient(client)
      ? []
      : ["oneSignal: client must be one of OneSignal's: new DefaultApi(createConfiguration({ restApiKey }))"]),
    ...(typeof appId === "string" && ID.test(appId)
      ? []
      : ["oneSignal: appId must be the app's id, a UUID: OneSignal's dashboard, Settings, Keys & IDs"]),
    ...odd.map(([name]) => `oneSignal: ${name} must be text, or texts by language with one for "en"`),
  ];
}

function idOf(subscription: unknown): string | undefined {
  const { subscriptionId = subscription } = membersOf(subscription);
  return typeof subscriptionId === "string" && ID.test(subscriptionId) ? subscriptionId : undefined;
}

/** Whether OneSignal says of this subscription that it has none, or that it has unsubscribed. */
function isOver(errors: unknown, id: string): boolean {
  if (Array.isArray(errors)) return errors.some((error) => /not subscribed/i.test(String(error)));
  const invalid = Object.entries(membersOf(errors)).filter(([name]) => name.startsWith("invalid_"));
  const named = invalid.flatMap(([, ids]) => ids).map((each) => String(each).toLowerCase());
  return named.includes(id.toLowerCase());
}

/** The client's errors have HTTP's status for their code, and the whole answer in their words. */
function reasonOf(error: unknown, id: string): DeliveryReason {
  const { body, code: status } = membersOf(error);
  if (typeof status !== "number") return connectionReason(error);
  return { status, gone: status < 500 && isOver(membersOf(body)["errors"], id) };
}

/** Nothing was created: with that, OneSignal answers 200, and an id that is empty. */
function refusalIn(answer: unknown, id: string): DeliveryError | undefined {
  const { errors, id: created } = membersOf(answer);
  const gone = isOver(errors, id) || (created === "" && errors === undefined);
  return gone || created === "" ? new DeliveryError(WHAT, { code: "no-recipient", gone }) : undefined;
}

function byLanguage(text: OneSignalText): Record<string, string> {
  return typeof text === "string" ? { en: text } : { ...text };
}

/**
 * A channel of `push()`: wakes an app that is registered at OneSignal, over OneSignal's own client (package
 * `@onesignal/node-onesignal`, version 5), which is not a dependency of this one. A device's subscription is `{ subscriptionId }`, or
 * that id itself. OneSignal is given the request's id and your origin as data, and a title and a text that name nobody.
 *
 * Does NOT retry, and does NOT call a request off that OneSignal is slow to answer: its client has no way to. A subscription that is
 * invalid or has unsubscribed is a rejection with `gone: true`; everything else that is refused is a `DeliveryError` with HTTP's
 * `status`, and without OneSignal's words.
 *
 * @throws ConfigurationError where the client or the app's id is none, or for an option it does not have
 *
 * @example
 * ```ts
 * import { createConfiguration, DefaultApi } from "@onesignal/node-onesignal";
 * import { backupCodes, push, totp } from "express-second-factor";
 * import { oneSignal } from "express-second-factor/onesignal";
 *
 * const client = new DefaultApi(createConfiguration({ restApiKey: process.env.ONESIGNAL_API_KEY ?? "…" }));
 * const channels = [oneSignal({ client, appId: "5eb5a37e-b458-11e3-ac11-000c2940e62c" })];
 * app.use(secondFactor({ ..., methods: [totp(), push({ channels }), backupCodes()] }));
 * ```
 */
export function oneSignal(options: OneSignalOptions): PushChannel {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { appId, client } = options;
  const { heading = "Approve a sign-in", content = "Open the app to see what is asked." } = options;
  const [headings, contents] = [byLanguage(heading), byLanguage(content)];
  return {
    name: "onesignal",
    problem: (subscription) => (idOf(subscription) === undefined ? "not-a-subscription-id" : undefined),
    async send(subscription, { requestId, origin }, { signal }: { readonly signal?: AbortSignal } = {}) {
      const id = idOf(subscription);
      if (id === undefined) throw new DeliveryError(WHAT, { code: "not-a-subscription-id" });
      const notification: OneSignalNotification = {
        ...{ app_id: appId, target_channel: "push", include_subscription_ids: [id] },
        ...{ headings, contents, data: { requestId, ...(origin !== undefined && { origin }) } },
        ...{ ttl: TIME_TO_LIVE, priority: AT_ONCE },
      };
      const answer = await attempt({
        what: WHAT,
        signal,
        ask: () => client.createNotification(notification),
        reasonOf: (error) => reasonOf(error, id),
      });
      const refusal = refusalIn(answer, id);
      if (refusal !== undefined) throw refusal;
    },
  };
}

makesTakers(oneSignal, "oneSignal({ client, appId })");
