import { alertBox, brand, cardHeading, problemText } from "./fragments.js";
import { html } from "./html.js";
import { renderPage } from "./layout.js";
import { passkeyForm } from "./passkey-form.js";
import type { PageContext, PasskeyOfferView } from "./views.js";

/** Offers a passkey to somebody who has just signed in with a code. Whatever they answer, they go on to where they were going. */
export function passkeyOfferPage(context: PageContext, { accountName, problem }: PasskeyOfferView): string {
  const { base, messages } = context;
  const { challenge, common, passkeyOffer: words, settings } = messages;
  const form = passkeyForm(context, {
    ceremony: "create",
    action: `${base}/passkey/offer`,
    button: words.add,
    cancelled: settings.passkeys.cancelled,
    alreadyHere: settings.passkeys.alreadyHere,
    stepUp: base,
    // Once: what was refused would be made, sent and refused again without end.
    triesSilently: problem === undefined,
  });
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("passkey", words.title)}
      <p class="sf-account">${challenge.signedInAs} <strong>${accountName}</strong></p>
      ${problem && alertBox(problemText(messages, problem))}
      <p class="sf-lead">${words.lead}</p>
      ${form}
      <form class="sf-form sf-answers" method="post" action="${base}/passkey/offer/decline">
        <button type="submit" class="sf-button sf-button-quiet" data-later>${words.later}</button>
        <button type="submit" class="sf-link" name="forever" value="true">${words.never}</button>
      </form>
    </section>
  </div>`;
  return renderPage(context, problem === undefined ? words.title : common.titleWithProblem(words.title), body);
}
