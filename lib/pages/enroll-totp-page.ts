import { brand, cardHeading, codeField, isAboutCode, postButton, problemText } from "./fragments.js";
import { type Html, html, trusted } from "./html.js";
import { renderPage } from "./layout.js";
import type { Messages } from "./messages.js";
import type { ConfirmTotpView, EnrollTotpView, PageContext, PageProblem } from "./views.js";

/** Shows the secret of a new authenticator, once, and asks for the first code it makes. */
export function enrollTotpPage(context: PageContext, view: EnrollTotpView): string {
  const { enroll } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("app", enroll.title)}
      <p class="sf-lead">${enroll.lead}</p>
      <ol class="sf-steps">
        <li>
          <h2>${enroll.appTitle}</h2>
          <p class="sf-hint">${enroll.appLead}</p>
        </li>
        <li>
          <h2>${enroll.scanTitle}</h2>
          ${scanStep(context, view)}
        </li>
        <li>
          <h2>${enroll.codeTitle}</h2>
          ${confirmForm(context, view.factorId)}
        </li>
      </ol>
    </section>
    ${cancelLink(context)}
  </div>`;
  return renderPage(context, enroll.title, body);
}

/** The code field alone, after a wrong code: the secret is in the app by now and is not shown again. */
export function confirmTotpPage(context: PageContext, view: ConfirmTotpView): string {
  const { base, messages } = context;
  const { common, enroll } = messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("app", enroll.confirmTitle)}
      <p class="sf-lead">${enroll.confirmLead}</p>
      ${confirmForm(context, view.factorId, view.problem)}
    </section>
    <footer class="sf-foot">
      ${postButton(`${base}/totp/enroll`, enroll.startOver, "sf-link")}
      <a href="${base}/settings">${common.cancel}</a>
    </footer>
  </div>`;
  return renderPage(context, common.titleWithProblem(enroll.confirmTitle), body);
}

function scanStep({ messages }: PageContext, { qr, secret, uri }: EnrollTotpView): Html {
  const { common, enroll } = messages;
  const link =
    uri.startsWith("otpauth:") && html`<a class="sf-button sf-button-quiet" href="${uri}">${enroll.openApp}</a>`;
  return html`<p class="sf-hint">${enroll.scanLead}</p>
    <div class="sf-qr" role="img" aria-label="${enroll.qrAlternative}">${trusted(qr)}</div>
    ${link}
    <div class="sf-secret">
      <h3>${enroll.secretTitle}</h3>
      <code translate="no">${grouped(secret)}</code>
      <p class="sf-hint">${enroll.secretLead}</p>
      <p class="sf-tools" hidden data-script>
        <button type="button" class="sf-button sf-button-small" data-copy="${secret}">${enroll.copySecret}</button>
        <span role="status" data-copied="${common.copied}" data-not-copied="${common.notCopied}"></span>
      </p>
    </div>`;
}

function confirmForm({ base, messages }: PageContext, factorId: string, problem?: PageProblem): Html {
  const { enroll } = messages;
  const field = codeField({
    label: enroll.codeLabel,
    hint: problem === undefined ? enroll.codeHint : enroll.confirmAppLead,
    error: problem && refusalText(messages, problem),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind: "digits",
    isLast: problem === undefined,
  });
  return html`<form class="sf-form" method="post" action="${base}/totp/enroll/confirm">
    <input type="hidden" name="factorId" value="${factorId}" />
    ${field}
    <button type="submit" class="sf-button">${enroll.submit}</button>
  </form>`;
}

/** A first code has never been used, so it is not the code of before; the clock, where it is known to be off, says more. */
function refusalText(messages: Messages, problem: PageProblem): string {
  const { challenge, enroll } = messages;
  const isJustWrong = problem.code === "invalid-code" && !problem.clockOffMinutes;
  return isJustWrong ? enroll.codeRefused : problemText(messages, problem, challenge.totp.unreadable);
}

function cancelLink({ base, messages }: PageContext): Html {
  return html`<footer class="sf-foot"><a href="${base}/settings">${messages.common.cancel}</a></footer>`;
}

/** Four by four, as people read and type it. */
function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}
