import type { ActivityName } from "../core/activity.js";
import type { ActivityView } from "../engine/views.js";
import { timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import type { Messages } from "./messages.js";
import { emptyState, section } from "./settings-section.js";
import type { PageContext } from "./views.js";

/** Entries shown at once; the older ones open on demand. */
const SHOWN = 10;

/** What happened lately. */
export function activitySection({ messages }: PageContext, activity: readonly ActivityView[]): Html {
  const { activity: words } = messages.settings;
  if (activity.length === 0) return section("activity", words.title, words.lead, emptyState(words.none));
  const recent = list(messages, activity.slice(0, SHOWN));
  const older = activity.slice(SHOWN);
  return section(
    "activity",
    words.title,
    words.lead,
    html`${recent}
    ${
      older.length > 0 &&
      html`<details class="sf-details">
        <summary>${words.older}</summary>
        ${list(messages, older)}
      </details>`
    }`,
  );
}

function list(messages: Messages, entries: readonly ActivityView[]): Html {
  return html`<ul class="sf-log">
    ${entries.map((entry) => line(messages, entry))}
  </ul>`;
}

function line(messages: Messages, entry: ActivityView): Html {
  const { action, at, browser, count, earlier = [], ended, ip, label, method, number } = entry;
  const kind = method && messages.methods[method]?.name;
  const named = new Set([kind, label, browser, ip].filter((detail) => detail !== undefined && detail !== ""));
  const { count: times, ended: over, number: numbered } = messages.settings.activity;
  const details = [...named, ...(count > 1 ? [times(count)] : []), ...(ended ? [over(ended)] : [])];
  // Older lines have none.
  const numbers = number > 0 ? html` <span>${numbered([number, ...earlier])}</span>` : "";
  return html`<li>
    <p class="sf-row-label"><strong>${activityName(messages, action)}</strong></p>
    <p class="sf-facts">
      ${details.map((detail) => html`<span>${detail}</span> `)}<span>${timeOf(messages, at)}</span>${numbers}
    </p>
  </li>`;
}

/** What happened, in the words of the activity list. */
export function activityName({ settings }: Messages, action: string): string {
  const { names, other } = settings.activity;
  return Object.hasOwn(names, action) ? names[action as ActivityName] : other;
}
