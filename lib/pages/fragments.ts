import { OF_SENDING } from "../core/errors.js";
import type { MethodChoice } from "../engine/choices.js";
import { type Html, html, type HtmlValue } from "./html.js";
import { icon, type Icon } from "./icons.js";
import type { Messages } from "./messages.js";
import type { PagePart } from "./method-page.js";
import type { PageContext, PageProblem } from "./views.js";

/**
 * What happened and what to do next, in the visitor's words. `unreadable`: for a code that cannot be one.
 *
 * Does NOT escape: it is text, and `html` escapes it where it is shown.
 *
 * @example
 * ```ts
 * import { html, type PageContext, type PageProblem, problemText } from "express-second-factor";
 *
 * const alert = ({ messages }: PageContext, problem: PageProblem) =>
 *   html`<p class="sf-error" role="alert">${problemText(messages, problem)}</p>`;
 * ```
 */
export function problemText({ errors, wait, clock }: Messages, problem: PageProblem, unreadable?: string): string {
  const { code, clockOffMinutes } = problem;
  if (code === "too-many-attempts") return waitText(wait, problem);
  if (code === "invalid-request" && unreadable !== undefined) return unreadable;
  if (code === "invalid-code" && clockOffMinutes) return clock(clockOffMinutes);
  return errors[code];
}

/** How long, and what for. */
export function waitText({ minutes, noEnd, sending }: Messages["wait"], { reason, retryAfter }: PageProblem): string {
  if (retryAfter === undefined) return noEnd;
  const left = Math.max(1, Math.ceil(retryAfter / 60));
  return reason === OF_SENDING ? sending(left) : minutes(left);
}

/** A problem that belongs to the page as a whole. It takes the focus, so that it is read first. */
export function alertBox(text: string): Html {
  return html`<div class="sf-notice sf-notice-danger" role="alert" tabindex="-1" autofocus>
    ${icon("warning")}
    <p>${text}</p>
  </div>`;
}

/** A time that reads the same everywhere; the page script turns it into the visitor's own. `"zone"`: which says its zone, too. */
export function timeOf({ common }: Messages, iso: string, zone?: "zone"): Html {
  const time = new Date(iso);
  const shown = Number.isNaN(time.getTime()) ? iso : common.dateTime(time);
  const attributes = html`datetime="${iso}"${zone !== undefined && html` data-zone`}`;
  return html`<time ${attributes}>${shown}</time>`;
}

/** Name of the application; only the built-in layout shows it, others have their own header. */
export function brand({ issuer, showsIssuer }: PageContext): Html | undefined {
  return showsIssuer && issuer !== "" ? html`<p class="sf-brand">${issuer}</p>` : undefined;
}

export function cardHeading(drawing: Icon, title: string): Html {
  return html`<div class="sf-mark">${icon(drawing)}</div>
    <h1>${title}</h1>`;
}

/** What the visitor calls their own factors, where they have a name. */
export function labelsOf({ factors }: MethodChoice): string[] {
  return factors.map(({ label }) => label).filter((label) => label !== "");
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

/** A page of one card, for whoever opens a link. */
export function card(context: PageContext, title: string, content: Html): PagePart {
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">${content}</section>
  </div>`;
  return { title, body };
}
