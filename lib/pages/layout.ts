import { dangerouslyTrustedHtml, type Html, html } from "./html.js";
import type { Layout, PageContext } from "./views.js";

/** The frame of the built-in pages: nothing but the page, in the middle. */
export const builtInLayout: Layout = ({ title, lang, head, body }) =>
  html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${dangerouslyTrustedHtml(head)}
      </head>
      <body class="sf-page">
        <main>${dangerouslyTrustedHtml(body)}</main>
      </body>
    </html> `.toString();

/** A whole document: the page in the layout in force. */
export function renderPage(context: PageContext, title: string, body: Html): string {
  const { base, messages, issuer, lang, layout } = context;
  const head = html`<link rel="stylesheet" href="${base}/assets/style.css" />
    <script type="module" src="${base}/assets/page.js"></script>`;
  const frame = html`<div class="sf" dir="${messages.direction}">${body}</div>`;
  return layout({
    // Of nobody's page it is not known whose site this is, where that depends on the user.
    title: issuer === "" ? title : messages.common.pageTitle(title, issuer),
    lang,
    head: head.toString(),
    body: frame.toString(),
  });
}
