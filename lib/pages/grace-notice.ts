import { timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { PageContext } from "./views.js";

/** Until when an authenticator is only asked for. `until`: ISO 8601, UTC; undefined where none is, or it is demanded. */
export function graceNotice({ issuer, messages }: PageContext, until: string | undefined): Html | undefined {
  if (until === undefined) return undefined;
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("clock")}
    <p>${messages.settings.grace(issuer)} ${timeOf(messages, until, "zone")}.</p>
  </div>`;
}
