import { html as honoHtml, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** Finished HTML: everything that came from outside is escaped in it. */
export type Html = HtmlEscapedString;

/** What may stand in a template. Text is escaped; `false`, `null` and `undefined` leave nothing. */
export type HtmlValue = string | number | boolean | null | undefined | Html | readonly HtmlValue[];

/** A piece of HTML. Every value is escaped but what this function made itself. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  const made = honoHtml(strings, ...values);
  if (made instanceof Promise) throw new TypeError("A page is made of finished values, not of promises");
  return made;
}

/** Markup this package made itself, taken as it is. Never for anything a visitor or an application has a hand in. */
export function trusted(markup: string): Html {
  return raw(markup);
}
