import { hiddenField } from "./forms.js";
import { type Html, html } from "./html.js";
import type { OthersView, PageContext } from "./views.js";

/**
 * What becomes of the other logins with the first factor, said before it is set up; where its owner may choose, a box that is ticked.
 * A box that is not is sent by no browser, so a field before it says the other thing. Undefined with a further factor.
 */
export function othersPart({ messages }: PageContext, view: OthersView | undefined): Html | undefined {
  if (view === undefined) return undefined;
  const { others: words } = messages;
  if (view.rule !== "ask")
    return html`<p class="sf-hint">${view.rule === "always" ? words.willEnd : words.willStay}</p>`;
  return html`${hiddenField("endOtherSessions", "false")}
    <label class="sf-check">
      <input type="checkbox" name="endOtherSessions" value="true" ${view.ends && html`checked`} />
      <span>${words.ask} <small>${words.askAdvice}</small></span>
    </label>`;
}
