import { timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon, type Icon } from "./icons.js";
import type { PageContext, SettingsPageView } from "./views.js";

// What holds until a time, said above what it is about.

interface Said {
  readonly look: "info" | "warning";
  readonly drawing: Icon;
  readonly text: string;
}

/** `until`: ISO 8601, UTC; undefined where it does not hold. */
function untilNotice(
  { messages }: PageContext,
  { drawing, look, text }: Said,
  until: string | undefined,
): Html | undefined {
  if (until === undefined) return undefined;
  return html`<div class="sf-notice sf-notice-${look}">
    ${icon(drawing)}
    <p>${text} ${timeOf(messages, until, "zone")}.</p>
  </div>`;
}

/** Until when nothing about authenticators can be changed. */
export function frozenNotice(context: PageContext, until: string | undefined): Html | undefined {
  return untilNotice(context, { look: "warning", drawing: "lock", text: context.messages.settings.frozen }, until);
}

/** Until when an authenticator is only asked for. */
export function graceNotice(context: PageContext, until: string | undefined): Html | undefined {
  const text = context.messages.settings.grace(context.issuer);
  return untilNotice(context, { look: "warning", drawing: "clock", text }, until);
}

/** On the page that sets up a factor: it is the last step of a recovery. */
export function recoveringNotice(context: PageContext, until: string | undefined): Html | undefined {
  return untilNotice(context, { look: "info", drawing: "lock", text: context.messages.recovery.setUp }, until);
}

/** What is not open so soon after a recovery. */
export function probationNotice(
  context: PageContext,
  { probation }: Pick<SettingsPageView["settings"], "probation">,
): Html | undefined {
  const { probation: text } = context.messages.recovery;
  return untilNotice(context, { look: "info", drawing: "lock", text }, probation?.until);
}
