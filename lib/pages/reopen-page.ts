import type { ClosedView } from "../engine/views.js";
import { postButton } from "./forms.js";
import { alertBox, brand, cardHeading, confirmation, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { OwnPage, PagePart } from "./method-page.js";
import type { PageContext } from "./views.js";

/** A factor by its name; a set of codes has none but that of its kind. */
function namesOf({ messages }: PageContext, closed: readonly ClosedView[]): string[] {
  return closed.map(({ label, type }) => label || (messages.methods[type]?.name ?? type));
}

/** On the settings page: what is closed, and how it is opened again. */
export function reopenNotice(context: PageContext, closed: readonly ClosedView[] = []): Html | undefined {
  if (closed.length === 0) return undefined;
  const { advice, lead, open, submit } = context.messages.reopen;
  const button = postButton({ action: `${context.base}/reopen`, text: submit });
  return html`<div class="sf-card">
    <div class="sf-notice sf-notice-warning">
      ${icon("warning")}
      <p>${lead(namesOf(context, closed))}</p>
    </div>
    ${confirmation(open, advice, button, "sf-summary")}
  </div>`;
}

/** Offered to somebody who has just proved within their login that it is them. Whatever they answer, they go on from here. */
export function reopenPage(
  { accountName, context, problem }: OwnPage,
  closed: readonly ClosedView[],
  continueTo: string,
): PagePart {
  const { base, messages } = context;
  const { advice, later, lead, submit, title } = messages.reopen;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", title)}
      <p class="sf-account">${messages.challenge.signedInAs} <strong>${accountName}</strong></p>
      ${problem && alertBox(problemText(messages, problem))}
      <p class="sf-lead">${lead(namesOf(context, closed))}</p>
      <p class="sf-hint">${advice}</p>
      ${postButton({ action: `${base}/reopen`, text: submit })}
      <a class="sf-button sf-button-quiet" href="${continueTo}">${later}</a>
    </section>
  </div>`;
  return { title: problem === undefined ? title : messages.common.titleWithProblem(title), body };
}
