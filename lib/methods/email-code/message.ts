import type { Written } from "../../engine/message-code-method.js";
import { html } from "../../pages/html.js";
import { type EmailCodeWords, emailCodeWords } from "./words.js";

/** What a mail says, as text and as HTML. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The words in force where the pages have some: an application may call from outside any request. */
function wordsOf(words: unknown): EmailCodeWords["message"] {
  return ((words ?? emailCodeWords) as EmailCodeWords).message;
}

/** The mail with a code: the same words twice, without links, pictures or anything else that could be followed. */
export function codeMail({ code, issuer, locale, minutes, purpose, words }: Written): Mail {
  const message = wordsOf(words);
  const isLogin = purpose === "login";
  const subject = isLogin ? message.subject(issuer) : message.enrollSubject(issuer);
  const lead = isLogin ? message.lead(issuer) : message.enrollLead(issuer);
  const unasked = isLogin ? message.unasked(issuer) : message.enrollUnasked(issuer);
  const below = [message.life(minutes), message.never(issuer), unasked];
  const text = `${[lead, code, ...below].join("\n\n")}\n`;
  const paragraphs = below.map((line) => html`<p>${line}</p>`);
  const page = html`<!doctype html>
    <html lang="${locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="color-scheme" content="light dark" />
        <title>${subject}</title>
      </head>
      <body style="font: 16px/1.5 sans-serif; max-width: 34em; margin: 0 auto; padding: 24px">
        <p>${lead}</p>
        <p style="font: 600 32px/1.2 monospace; letter-spacing: 0.2em">${code}</p>
        ${paragraphs}
      </body>
    </html>`;
  return { subject, text, html: page.toString() };
}
