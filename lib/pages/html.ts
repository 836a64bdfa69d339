import { html as honoHtml, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** Finished HTML: everything that came from outside is escaped in it. */
export type Html = HtmlEscapedString;

/** What may stand in a template. Text is escaped; `false`, `null` and `undefined` leave nothing. */
export type HtmlValue = string | number | boolean | null | undefined | Html | readonly HtmlValue[];

/**
 * A piece of HTML. Every value is escaped but what this function made itself.
 *
 * Does NOT know where in the markup a value stands: attributes need their quotes, an address from outside must be checked before it
 * becomes a link, and nothing from outside belongs in a tag name, a style or a script.
 *
 * @example
 * ```ts
 * import { html } from "express-second-factor";
 *
 * const lines = ["Ann & Bob", "<i>"].map((name) => html`<li>${name}</li>`);
 * const list = html`<ul>${lines}</ul>`;
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  const made = honoHtml(strings, ...values);
  if (made instanceof Promise) throw new TypeError("A page is made of finished values, not of promises");
  return made;
}

/**
 * Markup taken as it is, such as a drawing the program made itself.
 *
 * Does NOT escape or check anything: with a text that a visitor, a browser or a database has a hand in, it opens the page to every
 * script they write.
 *
 * @example
 * ```ts
 * import { dangerouslyTrustedHtml, html } from "express-second-factor";
 *
 * const drawing = '<svg viewBox="0 0 8 8"><path d="M0 0h8v8H0z" /></svg>';
 * const image = html`<div role="img" aria-label="A square">${dangerouslyTrustedHtml(drawing)}</div>`;
 * ```
 */
export function dangerouslyTrustedHtml(markup: string): Html {
  return raw(markup);
}
