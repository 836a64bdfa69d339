import { type Html, html } from "../../pages/html.js";
import { messagePage } from "../../pages/message-page.js";
import { type AddForm, allDrawn } from "../../pages/method-page.js";
import { maskNumber, writtenNumber } from "./numbers.js";
import { type SmsCodeWords, smsCodeWords } from "./words.js";

const bubble = html`<path d="M4 5h16v11H9l-4 4v-4H4z" /> <path d="M8.5 10.5h.01M12 10.5h.01M15.5 10.5h.01" />`;

/** What is offered before it: everything that is offered later is worth no more. */
function namesBefore({ context, type }: AddForm<SmsCodeWords>): string[] {
  const drawn = allDrawn(context);
  const at = drawn.findIndex(({ drawing }) => drawing.type === type);
  return drawn
    .slice(0, at)
    .filter(({ page }) => page.add !== undefined)
    .map(({ drawing }) => drawing.words.name);
}

/** What SIM swapping is, and what is not taken by it. */
function swapNotice(form: AddForm<SmsCodeWords>): Html {
  const { stronger, swapLead, swapTitle } = form.words.enroll;
  const names = namesBefore(form);
  return html`<div class="sf-notice sf-notice-warning">
    <p><strong>${swapTitle}</strong> ${swapLead} ${names.length > 0 && stronger(names)}</p>
  </div>`;
}

export const smsCodePage = messagePage<SmsCodeWords>({
  icon: bubble,
  words: smsCodeWords,
  field: { name: "phone", type: "tel" },
  known({ phone }) {
    const number = writtenNumber(phone);
    return number === undefined ? undefined : maskNumber(number);
  },
  notice: swapNotice,
});
