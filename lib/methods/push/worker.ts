import { type Html, html } from "../../pages/html.js";
import type { PageContext } from "../../pages/views.js";
import type { PushChannel } from "./channel.js";
import { WORKER_PATH } from "./places.js";
import type { PushWords } from "./words.js";

/** The channel that wakes browsers: the first with a key for them. */
export function browserChannel(channels: readonly PushChannel[]): PushChannel | undefined {
  return channels.find(({ applicationServerKey }) => applicationServerKey !== undefined);
}

/**
 * What a script needs to have this browser woken: the channel, its key, and the address of the service worker, which brings the words
 * of the notification along, for nobody can be asked for them then.
 */
export function wakingData(
  { base, issuer, lang }: Pick<PageContext, "base" | "issuer" | "lang">,
  { notification }: PushWords,
  channel: PushChannel | undefined,
): Html | undefined {
  if (channel?.applicationServerKey === undefined) return undefined;
  const query = new URLSearchParams({
    title: notification.title(issuer),
    body: notification.body,
    lang,
    channel: channel.name,
  });
  return html`data-channel="${channel.name}" data-key="${channel.applicationServerKey}"
  data-worker="${base}${WORKER_PATH}?${query.toString()}"`;
}
