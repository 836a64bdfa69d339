import { timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { PageContext } from "./views.js";

/** Until when nothing about authenticators can be changed. `until`: ISO 8601, UTC; undefined where it can. */
export function frozenNotice({ messages }: PageContext, until: string | undefined): Html | undefined {
  if (until === undefined) return undefined;
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("lock")}
    <p>${messages.settings.frozen} ${timeOf(messages, until, "zone")}.</p>
  </div>`;
}
