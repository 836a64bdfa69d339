import type { NewPhoneStep } from "../engine/new-phone.js";
import { hiddenField } from "./forms.js";
import { type Html, html } from "./html.js";
import type { PageContext } from "./views.js";

const STEPS: readonly NewPhoneStep[] = ["prove", "set-up", "remove"];

/** The steps on the way to a new phone, and where one is. */
export function newPhoneWay({ messages }: PageContext, current: NewPhoneStep): Html {
  const { stepDone, steps, title } = messages.newPhone;
  const now = STEPS.indexOf(current);
  const items = STEPS.map((step, index) => {
    const done = index < now && html`<span class="sf-hidden">${stepDone}</span>`;
    return html`<li ${index === now && html`aria-current="step"`} ${index < now && html`class="sf-way-done"`}>
      <span>${steps[step]} ${done}</span>
    </li>`;
  });
  return html`<ol class="sf-way" aria-label="${title}">
    ${items}
  </ol>`;
}

/** The page for a new phone, as its path, its forms (`from`) and links to a proof (`confirm`) name it. */
export const NEW_PHONE = "replace";

/** What every form of that page sends, so that it leads back there. */
export function fromNewPhone(): Html {
  return hiddenField("from", NEW_PHONE);
}

/** Where a proof is asked for that leads back there. */
export function newPhoneProof({ base }: Pick<PageContext, "base">): string {
  return `${base}?confirm=${NEW_PHONE}`;
}
