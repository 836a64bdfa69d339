import { postButton } from "./forms.js";
import { timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { section } from "./settings-section.js";
import type { PageContext, SettingsPageView } from "./views.js";

/** While the help desk waits for a number: the button that shows it, and then the number. */
export function callerSection(context: PageContext, { callerNumber, settings }: SettingsPageView): Html | undefined {
  const { callerCheck, probation } = settings;
  // So soon after a recovery no number is shown.
  if (callerCheck === undefined || probation !== undefined) return undefined;
  const { base, issuer, messages } = context;
  const { lead, number, show, title, until } = messages.callerCheck;
  const shown = html`<div class="sf-number sf-number-long">
    <p>${number}</p>
    <p><strong>${callerNumber}</strong></p>
  </div>`;
  const button = postButton({ action: `${base}/caller-check`, text: show });
  return section(
    "caller",
    title,
    lead(issuer),
    html`${callerNumber === undefined ? button : shown}
      <p class="sf-hint">${until} ${timeOf(messages, callerCheck.expiresAt)}</p>`,
  );
}
