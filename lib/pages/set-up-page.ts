import { postButton } from "./forms.js";
import { alertBox, brand, cardHeading, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import { renderPage } from "./layout.js";
import { allDrawn } from "./method-page.js";
import { othersPart } from "./other-sessions.js";
import type { PageContext, SetUpView } from "./views.js";

/** The first screen of the enrollment that policy demands. */
export function setUpPage(context: PageContext, view: SetUpView): string {
  const { base, issuer, messages } = context;
  const { challenge, common, setUp } = messages;
  const { problem } = view;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", setUp.title)}
      <p class="sf-account">${challenge.signingInAs} <strong>${view.accountName}</strong></p>
      ${problem && problem.code !== "enrollment-required" && alertBox(problemText(messages, problem))}
      <p class="sf-lead">${setUp.lead(issuer)}</p>
      ${ways(context, view)}
    </section>
    <footer class="sf-foot">
      ${postButton({ action: `${base}/cancel`, text: common.useAnotherAccount, look: "link" })}
    </footer>
  </div>`;
  return renderPage(context, problem === undefined ? setUp.title : common.titleWithProblem(setUp.title), body);
}

function ways(context: PageContext, view: SetUpView): Html {
  const addable = allDrawn(context).filter(({ page }) => page.add !== undefined);
  if (addable.length === 0) return html`<p>${context.messages.setUp.nothing}</p>`;
  return html`${addable.map(({ drawing, page }, index) => {
    const isMain = index === 0;
    const others = othersPart(context, view.others);
    const where = { place: "set-up", isFirst: true, isMain } as const;
    const part = page.add?.({ ...drawing, ...where, password: undefined, others, name: undefined });
    return html`<div class="${isMain ? "sf-needs" : "sf-needs sf-or"}">
      <h2>${part?.title}</h2>
      ${part?.body}
    </div>`;
  })}`;
}
