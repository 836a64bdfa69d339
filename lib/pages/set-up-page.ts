import type { MethodType } from "../core/nouns.js";
import { alertBox, brand, cardHeading, postButton, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import { passkeyForm } from "./passkey-form.js";
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

function start(context: PageContext, enrollable: readonly MethodType[]): Html {
  const { setUp } = context.messages;
  const hasPasskeys = enrollable.includes("passkey");
  const hasApps = enrollable.includes("totp");
  if (!hasPasskeys && !hasApps) return html`<p>${setUp.nothing}</p>`;
  return html`${hasPasskeys && passkeyStart(context)} ${hasApps && appStart(context, !hasPasskeys)}`;
}

function passkeyStart(context: PageContext): Html {
  const { messages } = context;
  const { setUp, settings } = messages;
  const form = passkeyForm(context, {
    ceremony: "create",
    action: `${context.base}/passkey/enroll`,
    button: setUp.passkey,
    cancelled: settings.passkeys.cancelled,
    alreadyHere: settings.passkeys.alreadyHere,
  });
  return html`<div class="sf-needs">
    <h2>${setUp.passkeyTitle}</h2>
    <p class="sf-hint">${setUp.passkeyLead}</p>
    ${form}
  </div>`;
}

function appStart({ base, messages }: PageContext, isOnly: boolean): Html {
  const { setUp } = messages;
  const style = isOnly ? "sf-button" : "sf-button sf-button-quiet";
  return html`<div class="${isOnly ? "sf-needs" : "sf-needs sf-or"}">
    <h2>${isOnly ? setUp.needTitle : messages.methods.totp}</h2>
    <ul>
      <li>${icon("app")}${setUp.needPhone}</li>
      <li>${icon("clock")}${setUp.needMinutes}</li>
    </ul>
    ${postButton(`${base}/totp/enroll`, setUp.totp, style)}
  </div>`;
}
