import { type Html, html, type HtmlValue } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { Drawing } from "../../pages/method-page.js";
import type { PasskeysWords } from "./words.js";

export interface PasskeyForm {
  /** Asks for a passkey there is, or for a new one. */
  readonly ceremony: "get" | "create";
  readonly action: string;
  readonly fields?: HtmlValue;
  readonly button: string;
  /** What is told when the dialog was closed. */
  readonly cancelled: string;
  /** What is told when this device holds a passkey of the account already. */
  readonly alreadyHere?: string;
  readonly passwordRefused?: string | false;
  /** Where a proof that is too old is renewed; without it the server's own words are shown. */
  readonly stepUp?: string | false;
  /** The first thing to do on its page. */
  readonly isFirst?: boolean;
  /** The script first tries to have one made by the way, without a dialog. */
  readonly triesSilently?: boolean;
}

/**
 * A form that only a script can fill in: its field takes the passkey, and then it is sent like any other. Until the script has
 * seen that the browser can do it, a sentence stands in its place.
 */
export function passkeyForm({ context, words }: Drawing<PasskeysWords>, form: PasskeyForm): Html {
  const { failed, needsScript, unsupported, waiting } = words.dialog;
  const { action, button, cancelled, ceremony, fields, passwordRefused = false, stepUp = false } = form;
  return html`<div class="sf-passkey">
    <p class="sf-notice" data-without>${needsScript}</p>
    <form
      class="sf-form"
      method="post"
      action="${action}"
      hidden
      data-passkey="${ceremony}"
      data-base="${context.base}"
      data-cancelled="${cancelled}"
      data-failed="${failed}"
      data-conflict="${form.alreadyHere ?? failed}"
      data-unsupported="${unsupported}"
      data-waiting="${waiting}"
      ${passwordRefused !== false && html`data-password="${passwordRefused}"`}
      ${stepUp !== false && html`data-step-up="${stepUp}"`}
      ${form.triesSilently === true && html`data-silent`}
    >
      ${fields}
      <input type="hidden" name="credential" value="" />
      <div class="sf-notice sf-notice-warning" role="alert" tabindex="-1" hidden>
        ${icon("warning")}
        <p></p>
      </div>
      <button type="submit" class="sf-button" ${form.isFirst === true && html`data-first`}>${button}</button>
      <p class="sf-hint sf-waiting" role="status"></p>
    </form>
  </div>`;
}
