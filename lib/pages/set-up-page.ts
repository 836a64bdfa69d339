import { passwordField, postButton, signInAgainButton } from "./forms.js";
import { alertBox, brand, cardHeading } from "./fragments.js";
import { passLink } from "./pass-page.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import { allDrawn, isForSetUp } from "./method-page.js";
import { othersPart } from "./other-sessions.js";
import { reasonedText } from "./problem-reasons.js";
import { frozenNotice, recoveringNotice } from "./until-notices.js";
import type { LayoutParts, PageContext, PageProblem, SetUpView } from "./views.js";

/** Problems that only say why this page is shown: the page says it already. */
const EXPLAINED: readonly PageProblem["code"][] = ["enrollment-required", "step-up-required", "frozen"];

/** The first screen of the enrollment that policy demands. */
export function setUpPage(context: PageContext, view: SetUpView): LayoutParts {
  const { base, issuer, messages } = context;
  const { challenge, common, setUp } = messages;
  const { problem, recoveringUntil } = view;
  const title = recoveringUntil === undefined ? setUp.title : messages.recovery.complete.title;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", title)}
      <p class="sf-account">${challenge.signingInAs} <strong>${view.accountName}</strong></p>
      ${problem && !EXPLAINED.includes(problem.code) && alertBox(reasonedText(context, problem))}
      ${recoveringNotice(context, recoveringUntil) ?? html`<p class="sf-lead">${setUp.lead(issuer)}</p>`}
      ${frozenNotice(context, view.frozenUntil) ?? start(context, view)}
    </section>
    <footer class="sf-foot">
      ${postButton({ action: `${base}/cancel`, text: common.useAnotherAccount, look: "link" })}
      ${recoveringUntil === undefined && passLink(context)}
    </footer>
  </div>`;
  return renderPage(context, problem === undefined ? title : common.titleWithProblem(title), body);
}

function start(context: PageContext, view: SetUpView): Html {
  return view.needsStepUp === true && view.asksPassword !== true ? again(context) : ways(context, view);
}

/** Nothing can be set up by this login: what would only be refused is not offered. */
function again(context: PageContext): Html {
  return html`<div class="sf-notice sf-notice-info">
      ${icon("lock")}
      <p>${context.messages.setUp.signInAgainFirst}</p>
    </div>
    ${signInAgainButton(context)}`;
}

function ways(context: PageContext, view: SetUpView): Html {
  const addable = allDrawn(context).filter(({ page }) => isForSetUp(page));
  if (addable.length === 0) return html`<p>${context.messages.setUp.nothing}</p>`;
  return html`${addable.map(({ drawing, page }, index) => {
    const isMain = index === 0;
    const password = view.needsStepUp && view.asksPassword ? passwordField(context, drawing.type) : undefined;
    const others = othersPart(context, view.others);
    const where = { place: "set-up", isFirst: true, isMain } as const;
    const part = page.add?.({ ...drawing, ...where, password, others, name: undefined });
    return html`<div class="${isMain ? "sf-needs" : "sf-needs sf-or"}">
      <h2>${part?.title}</h2>
      ${part?.body}
    </div>`;
  })}`;
}
