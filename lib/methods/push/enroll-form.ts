import { nameField } from "../../pages/forms.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { AddForm, PagePart } from "../../pages/method-page.js";
import type { PushChannel } from "./channel.js";
import { wakingData } from "./worker.js";
import type { PushWords } from "./words.js";

/**
 * Makes this browser a device. Only a script can fill it in: it makes the key. Until that has seen that the browser can keep one, a
 * sentence stands in its place; where no notifications can be had, it says why, and offers to go without.
 */
export function enrollPart(form: AddForm<PushWords>, channel: PushChannel | undefined): PagePart {
  const { isFirst, words } = form;
  const { addElsewhere, addFirst, addLead, addTitle } = words.settings;
  const body = html`<div class="sf-form">
    <p class="sf-hint">${addLead}</p>
    <div class="sf-notice sf-notice-info">
      ${icon("shield")}
      <p>${isFirst ? addFirst : addElsewhere}</p>
    </div>
    ${enrollForm(form, channel)}
  </div>`;
  return { title: addTitle, body };
}

/** The sentences that the script shows. */
function sentences({ settings }: PushWords): Html {
  const { alreadyHere, blocked, dismissed, failed, homeScreen, notHere, unsupported, waiting } = settings;
  return html`data-here="${alreadyHere}" data-unsupported="${unsupported}" data-waiting="${waiting}"
  data-failed="${failed}" data-blocked="${blocked}" data-dismissed="${dismissed}" data-not-here="${notHere}"
  data-home-screen="${homeScreen}"`;
}

/** Where a login goes on that was fresh when the page was loaded, and is not any more. */
function againBy({ context, isFirst, password, words }: AddForm<PushWords>): Html {
  if (password !== undefined) return html`data-password="${words.settings.passwordRefused}"`;
  return html`data-step-up="${isFirst ? `${context.base}/settings` : `${context.base}?confirm=settings`}"`;
}

function enrollForm(form: AddForm<PushWords>, channel: PushChannel | undefined): Html {
  const { context, name, others, password, type, words } = form;
  const { addSilently, addSubmit, needsScript } = words.settings;
  return html`<div class="sf-passkey">
    <p class="sf-notice" data-without>${needsScript}</p>
    <form
      class="sf-form"
      method="post"
      action="${context.base}/${type}/enroll"
      hidden
      data-push-enroll
      data-base="${context.base}"
      ${sentences(words)}
      ${againBy(form)}
      ${wakingData(context, words, channel)}
    >
      ${nameField(context, type, { name, words: words.settings })} ${password} ${others}
      <div class="sf-notice sf-notice-warning" role="alert" tabindex="-1" hidden>
        ${icon("warning")}
        <p></p>
      </div>
      <button type="submit" class="sf-button">${addSubmit}</button>
      <button type="submit" class="sf-button sf-button-quiet" hidden data-silently>${addSilently}</button>
      <p class="sf-hint sf-waiting" role="status"></p>
    </form>
  </div>`;
}
