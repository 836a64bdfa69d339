import { confirmation, postButton, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { Messages } from "./messages.js";
import { emptyState, section } from "./settings-section.js";
import type { PageContext, SettingsPageView } from "./views.js";

/** With this many codes left, or fewer, it is time for new ones. */
const FEW = 2;

/** How many backup codes are left, and how to get new ones. */
export function codesSection(context: PageContext, { settings }: SettingsPageView): Html {
  const { base, messages } = context;
  const { codes: words } = messages.settings;
  if (settings.factors.length === 0) return section("codes", words.title, words.lead, emptyState(words.first));
  const { createdAt, remaining } = settings.backupCodes;
  const made = createdAt !== null && html`<p class="sf-facts">${words.made} ${timeOf(messages, createdAt)}</p>`;
  const button = (style: string, text: string) => postButton(`${base}/backup-codes`, text, style);
  const action =
    remaining === 0
      ? button("sf-button", words.replace)
      : confirmation(
          words.replace,
          words.replaceLead,
          button("sf-button sf-button-danger", words.replaceSubmit),
          "sf-summary",
        );
  return section("codes", words.title, words.lead, html`${left(messages, remaining)} ${made} ${action}`);
}

function left({ settings }: Messages, remaining: number): Html {
  const { few, none, remaining: plenty } = settings.codes;
  if (remaining > FEW) return html`<p class="sf-count">${plenty(remaining)}</p>`;
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("warning")}
    <p>${remaining === 0 ? none : few(remaining)}</p>
  </div>`;
}
