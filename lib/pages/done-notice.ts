import type { Done, Others } from "../core/notes.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { Messages } from "./messages.js";
import type { PageContext } from "./views.js";

/** What became of the other logins, in a sentence; undefined where there is nothing to say. */
export function othersText({ others: words }: Messages, others: Others | undefined): string | undefined {
  return others && words[others];
}

/** What was done just now, at the head of the page that comes after it. */
export function doneNotice({ messages }: PageContext, done: Done | undefined): Html | undefined {
  if (done === undefined) return undefined;
  const others = othersText(messages, done.others);
  return html`<div class="sf-notice sf-notice-info" role="status">
    ${icon("shield")}
    <p>${messages.done[done.what](done.label ?? "")}${others !== undefined && html` ${others}`}</p>
  </div>`;
}
