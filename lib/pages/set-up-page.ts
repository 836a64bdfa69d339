import type { MethodType } from "../core/nouns.js";
import { alertBox, brand, cardHeading, postButton, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
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
      ${start(context, view.enrollable)}
    </section>
    <footer class="sf-foot">${postButton(`${base}/cancel`, common.useAnotherAccount, "sf-link")}</footer>
  </div>`;
  return renderPage(context, problem === undefined ? setUp.title : common.titleWithProblem(setUp.title), body);
}

function start({ base, messages }: PageContext, enrollable: readonly MethodType[]): Html {
  const { setUp } = messages;
  if (!enrollable.includes("totp")) return html`<p>${setUp.nothing}</p>`;
  return html`<div class="sf-needs">
      <h2>${setUp.needTitle}</h2>
      <ul>
        <li>${icon("app")}${setUp.needPhone}</li>
        <li>${icon("clock")}${setUp.needMinutes}</li>
      </ul>
    </div>
    ${postButton(`${base}/totp/enroll`, setUp.totp, "sf-button")}`;
}
