import { type Html, html, type HtmlValue } from "./html.js";
import { icon, type IconName } from "./icons.js";
import type { Messages } from "./messages.js";
import type { PageContext, PageProblem } from "./views.js";

/** What happened and what to do next, in the visitor's words. `unreadable`: for a code that cannot be one. */
export function problemText({ errors, wait, clock }: Messages, problem: PageProblem, unreadable?: string): string {
  const { code, retryAfter, clockOffMinutes } = problem;
  if (code === "too-many-attempts") {
    return retryAfter === undefined ? wait.noEnd : wait.minutes(Math.max(1, Math.ceil(retryAfter / 60)));
  }
  if (code === "invalid-request" && unreadable !== undefined) return unreadable;
  if (code === "invalid-code" && clockOffMinutes) return clock(clockOffMinutes);
  return errors[code];
}

/** A problem that belongs to the page as a whole. It takes the focus, so that it is read first. */
export function alertBox(text: string): Html {
  return html`<div class="sf-notice sf-notice-danger" role="alert" tabindex="-1" autofocus>
    ${icon("warning")}
    <p>${text}</p>
  </div>`;
}

/** A time that reads the same everywhere; the page script turns it into the visitor's own. */
export function timeOf({ common }: Messages, iso: string): Html {
  const time = new Date(iso);
  return html`<time datetime="${iso}">${Number.isNaN(time.getTime()) ? iso : common.dateTime(time)}</time>`;
}

/** Name of the application; only the built-in layout shows it, others have their own header. */
export function brand({ issuer }: PageContext): Html {
  return html`<p class="sf-brand">${issuer}</p>`;
}

export function cardHeading(name: IconName, title: string): Html {
  return html`<div class="sf-mark">${icon(name)}</div>
    <h1>${title}</h1>`;
}

/** A form that sends nothing but its button. `label` replaces the text for assistive technology. */
export function postButton(action: string, text: string, style: string, label?: string): Html {
  const name = label === undefined ? null : html` aria-label="${label}"`;
  return html`<form method="post" action="${action}">
    <button type="submit" class="${style}" ${name}>${text}</button>
  </form>`;
}

export interface CodeField {
  readonly label: string;
  readonly hint: string;
  readonly error: string | undefined;
  /** The error is about what was entered, not about how often. */
  readonly isInvalid: boolean;
  /** Numbers from an app, or letters and digits off paper. */
  readonly kind: "digits" | "letters";
  /** The field comes after something to read: the focus would carry the visitor past it. */
  readonly isLast?: boolean;
}

const KINDS = {
  digits: html`inputmode="numeric" autocomplete="one-time-code" data-digits`,
  letters: html`autocomplete="off" autocapitalize="characters"`,
} as const;

/** The one field of a page that asks for a code. Spaces and hyphens may be entered; the server sorts them out. */
export function codeField({ label, hint, error, isInvalid, kind, isLast = false }: CodeField): Html {
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

/** A button that opens what it is about to do, and the button that does it: two clicks, with or without a script. */
export function confirmation(open: string, text: string, button: HtmlValue, style = "sf-summary-danger"): Html {
  return html`<details class="sf-details">
    <summary class="${style}">${open}</summary>
    <div class="sf-confirm">
      <p>${text}</p>
      ${button}
    </div>
  </details>`;
}
