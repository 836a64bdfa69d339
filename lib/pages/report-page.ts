import type { MethodType } from "../core/nouns.js";
import { postButton } from "./forms.js";
import { card, cardHeading, timeOf } from "./fragments.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import type { PagePart } from "./method-page.js";
import { activityName } from "./settings-activity.js";
import type { PageContext } from "./views.js";

/** What a link is about, and what its form sends. */
export interface ReportView {
  /** Time: ISO 8601, UTC. */
  readonly event: { readonly kind: string; readonly at: string; readonly number: number };
  readonly token: string;
}

/** What was done. */
export interface ReportedView {
  /** Logins that are over. */
  readonly ended: number;
  /** ISO 8601, UTC. */
  readonly frozenUntil: string;
  readonly suspended: readonly { readonly type: MethodType; readonly label: string }[];
}

/** What happened, what pressing the button does, and the button. Nothing of whose account it is: the link may have been passed on. */
export function reportPage(context: PageContext, { event, token }: ReportView): PagePart {
  const { base, home, messages } = context;
  const { report: words } = messages;
  const effects = [words.willEnd, words.willFreeze, words.willSuspend];
  return card(
    context,
    words.title,
    html`${cardHeading("shield", words.title)}
      <p class="sf-account">
        <strong>${activityName(messages, event.kind)}</strong><br />
        ${timeOf(messages, event.at, "zone")} · ${words.number(event.number)}
      </p>
      <div class="sf-needs">
        <h2>${words.will}</h2>
        <ul>
          ${effects.map((effect) => html`<li>${icon("lock")}<span>${effect}</span></li>`)}
        </ul>
      </div>
      ${postButton({ action: `${base}/report`, text: words.submit, look: "danger", fields: { token } })}
      <p class="sf-hint">${words.wasMe}</p>
      <a class="sf-button sf-button-quiet" href="${home}">${words.leave}</a>`,
  );
}

/** What was done, and what is left for its owner to do. */
export function reportedPage(context: PageContext, { ended, frozenUntil, suspended }: ReportedView): PagePart {
  const { loginPath, messages } = context;
  const { common, report } = messages;
  const { done: words } = report;
  const names = suspended.map(({ label, type }) => label || (messages.methods[type]?.name ?? type));
  const steps = [words.nextPassword, words.nextSignIn, words.nextSettings];
  return card(
    context,
    words.title,
    html`${cardHeading("shield", words.title)}
      <div class="sf-notice sf-notice-info" role="status" tabindex="-1" autofocus>
        ${icon("shield")}
        <div class="sf-lines">
          <p>${words.ended(ended)}</p>
          <p>${words.frozen} ${timeOf(messages, frozenUntil, "zone")}.</p>
          <p>${names.length > 0 ? words.suspended(names) : words.nothingSuspended}</p>
        </div>
      </div>
      <div class="sf-needs">
        <h2>${words.next}</h2>
        <ol class="sf-steps">
          ${steps.map((step) => html`<li>${step}</li>`)}
        </ol>
      </div>
      <p class="sf-hint">${words.help(context.issuer)}</p>
      <a class="sf-button" href="${loginPath}">${common.signInAgain}</a>`,
  );
}

/** In the place of a link that is good no more. `isUsed`: what it does is done. */
export function reportOverPage(context: PageContext, isUsed: boolean): PagePart {
  const { base, messages } = context;
  const { common, report: words } = messages;
  const title = isUsed ? words.usedTitle : words.overTitle;
  return card(
    context,
    title,
    html`<div class="sf-mark sf-mark-warning">${icon("warning")}</div>
      <h1>${title}</h1>
      <p class="sf-lead" role="alert">${isUsed ? words.usedLead : words.overLead}</p>
      <a class="sf-button" href="${base}/settings">${common.toSettings}</a>`,
  );
}
