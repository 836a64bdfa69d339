import { type Html, html } from "../../pages/html.js";
import { messagePage } from "../../pages/message-page.js";
import { type AddForm, allDrawn } from "../../pages/method-page.js";
import { maskNumber, writtenNumber } from "./numbers.js";
import { type SmsCodeWords, smsCodeWords } from "./words.js";

const bubble = html`<path d="M4 5h16v11H9l-4 4v-4H4z" /> <path d="M8.5 10.5h.01M12 10.5h.01M15.5 10.5h.01" />`;

/** What else can be set up, and goes through nobody's hands. On the page it stands above. */
function strongerNames({ context }: AddForm<SmsCodeWords>): string[] {
  return allDrawn(context)
    .filter(({ drawing, page }) => page.add !== undefined && !context.restricted.includes(drawing.type))
    .map(({ drawing }) => drawing.words.name);
}

/** What is not taken by SIM swapping, and what that is. */
function swapNotice(form: AddForm<SmsCodeWords>): Html {
  const { stronger, swapLead, swapTitle } = form.words.enroll;
  const names = strongerNames(form);
  return html`${names.length > 0 && html`<p><strong>${stronger(names)}</strong></p>`}
    <div class="sf-notice sf-notice-warning">
      <p><strong>${swapTitle}</strong> ${swapLead}</p>
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
