import { nameField } from "../../pages/forms.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { AddForm, Drawing, PagePart, ReplaceForm } from "../../pages/method-page.js";
import { newPhoneProof } from "../../pages/new-phone-way.js";
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
    ${enrollForm(form, channel, { ...addFields(form), again: againBy(form) })}
  </div>`;
  return { title: addTitle, body };
}

function addFields({ context, name, others, password, type, words }: AddForm<PushWords>): Pick<Filling, "fields"> {
  return { fields: html`${nameField(context, type, { name, words: words.settings })} ${password} ${others}` };
}

/** This very browser in the place of a device: where it is that one already, the script says so. */
export function replaceForm(form: ReplaceForm<PushWords>, channel: PushChannel | undefined): Html {
  const { context, factor, fields, words } = form;
  const again = html`data-step-up="${newPhoneProof(context)}"`;
  return html`<div class="sf-form">
    <span hidden data-push-factor="${factor.id}" data-base="${context.base}"></span>
    <p>${words.settings.replaceLead}</p>
    ${enrollForm(form, channel, { fields, again })}
  </div>`;
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

/** What the form holds beside its buttons, and where a login goes on from it that is not fresh any more. */
interface Filling {
  readonly fields: Html;
  readonly again: Html;
}

function enrollForm(
  { context, type, words }: Drawing<PushWords>,
  channel: PushChannel | undefined,
  { again, fields }: Filling,
): Html {
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
      ${again}
      ${wakingData(context, words, channel)}
    >
      ${fields}
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
