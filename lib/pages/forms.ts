import { OF_SENDING } from "../core/errors.js";
import { type Html, html, type HtmlValue } from "./html.js";
import { icon } from "./icons.js";
import type { PageContext, PageProblem } from "./views.js";

const LOOKS = {
  main: "sf-button",
  quiet: "sf-button sf-button-quiet",
  small: "sf-button sf-button-small",
  danger: "sf-button sf-button-danger",
  link: "sf-link",
} as const;

export type ButtonLook = keyof typeof LOOKS;

export interface PostButton {
  /** A path below `context.base`. */
  readonly action: string;
  readonly text: string;
  /** Default: `"main"`. */
  readonly look?: ButtonLook;
  /** What assistive technology reads instead of the text, so that the buttons of a list differ. */
  readonly label?: string;
  /** Hidden fields that are sent with it. */
  readonly fields?: Readonly<Record<string, string>>;
}

/**
 * A form of one button.
 *
 * Does NOT ask twice: what cannot be undone needs a sentence and a second click before it.
 *
 * @example
 * ```ts
 * import { html, postButton } from "express-second-factor";
 *
 * const again = html`<p>Nothing came?</p> ${postButton({ action: "/2fa/email-code/send", text: "Send it again", look: "quiet" })}`;
 * ```
 */
export function postButton({ action, text, look = "main", label, fields = {} }: PostButton): Html {
  const name = label === undefined ? null : html` aria-label="${label}"`;
  return html`<form method="post" action="${action}">
    ${Object.entries(fields).map(([field, value]) => hiddenField(field, value))}
    <button type="submit" class="${LOOKS[look]}" ${name}>${text}</button>
  </form>`;
}

export function hiddenField(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

export interface CodeField {
  readonly label: string;
  readonly hint: string;
  /** What was wrong with the code before. */
  readonly error?: string | undefined;
  /** The error is about what was entered, not about how often. Default: false. */
  readonly isInvalid?: boolean;
  /** Numbers from an app, or letters and digits off paper. */
  readonly kind: "digits" | "letters";
  /** The field comes after something to read: the focus would carry the visitor past it. Default: false. */
  readonly isLast?: boolean;
}

const KINDS = {
  digits: html`inputmode="numeric" autocomplete="one-time-code" data-digits`,
  letters: html`autocomplete="off" autocapitalize="characters"`,
} as const;

/**
 * The one field of a page that asks for a code, `name="code"`. Spaces and hyphens may be entered; the server sorts them out.
 *
 * Does NOT stand twice on a page: its ids are fixed. It is no form, and has no button.
 *
 * @example
 * ```ts
 * import { codeField, html } from "express-second-factor";
 *
 * const form = html`<form method="post" action="/2fa/email-code">
 *   ${codeField({ label: "6-digit code", hint: "It is in the e-mail we sent you.", kind: "digits" })}
 *   <button type="submit" class="sf-button">Continue</button>
 * </form>`;
 * ```
 */
export function codeField({ label, hint, error, isInvalid = false, kind, isLast = false }: CodeField): Html {
  const describedBy = error === undefined ? "sf-code-hint" : "sf-code-error sf-code-hint";
  return html`<div class="sf-field">
    <label for="sf-code">${label}</label>
    <p class="sf-hint" id="sf-code-hint">${hint}</p>
    ${error !== undefined && html`<p class="sf-error" id="sf-code-error" role="alert">${icon("warning")}${error}</p>`}
    <input
      class="sf-code sf-code-${kind}"
      id="sf-code"
      name="code"
      type="text"
      ${KINDS[kind]}
      spellcheck="false"
      required
      ${!isLast && html`autofocus`}
      aria-describedby="${describedBy}"
      ${isInvalid && html`aria-invalid="true"`}
    />
  </div>`;
}

/** True where the problem is the code itself. */
export function isAboutCode({ code }: PageProblem): boolean {
  return code === "invalid-code" || code === "invalid-request";
}

/** True where the problem is that a message was not sent: a code that was sent before is as good as it was. */
export function isAboutSending({ code, reason }: PageProblem): boolean {
  return code === "delivery-failed" || reason === OF_SENDING;
}

interface HintedField {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly input: HtmlValue;
}

function hintedField({ id, label, hint, input }: HintedField): Html {
  return html`<div class="sf-field">
    <label for="${id}">${label}</label>
    <p class="sf-hint" id="${id}-hint">${hint}</p>
    <input id="${id}" ${input} aria-describedby="${id}-hint" />
  </div>`;
}

/** What is asked for a new factor's name. */
interface NameField {
  /** What was typed there before. */
  readonly name?: string | undefined;
  /** Where the common ones do not fit. */
  readonly words?: { readonly addName: string; readonly addNameHint: string };
}

/** What a new factor is to be called, if anything; one for each form on the page. */
export function nameField({ messages }: PageContext, type: string, { name, words }: NameField = {}): Html {
  const { addName, addNameHint } = words ?? messages.settings.factors;
  const input = html`name="label" type="text" autocomplete="off" ${name !== undefined && html`value="${name}"`}`;
  return hintedField({ id: `sf-${type}-label`, label: addName, hint: addNameHint, input });
}

/** Ends a login that has nothing to prove but its first factor, to begin it again and come back. */
export function signInAgainButton({ base, messages }: PageContext, look: ButtonLook = "main"): Html {
  return postButton({ action: `${base}/sign-in-again`, text: messages.common.signInAgain, look });
}

export function passwordField({ messages }: PageContext, type: string): Html {
  const { password, passwordHint } = messages.settings.factors;
  const input = html`name="password" type="password" autocomplete="current-password" required`;
  return hintedField({ id: `sf-${type}-password`, label: password, hint: passwordHint, input });
}
