import { dangerouslyTrustedHtml, type Html, html } from "./html.js";
import { assetPath, PAGE_SCRIPT, STYLE_SHEET } from "./asset-names.js";
import type { LayoutParts, PageContext, SyncLayout } from "./views.js";

/** The frame of the built-in pages: nothing but the page, in the middle. */
export const builtInLayout: SyncLayout = ({ title, lang, head, body }) =>
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

/** A page, for the layout in force to put together. */
export function renderPage(context: PageContext, title: string, body: Html): LayoutParts {
  const { base, messages, issuer, lang, showsIssuer } = context;
  // Turbo and htmx, where the application's frame brings them, leave the pages and their forms to the browser; and Turbo opens a page
  // that it was sent to as the whole document that it is.
  const head = html`<meta name="turbo-visit-control" content="reload" />
    <link rel="stylesheet" href="${base}${assetPath(STYLE_SHEET)}" />
    <script type="module" src="${base}${assetPath(PAGE_SCRIPT)}"></script>`;
  const frame = html`<div class="sf" dir="${messages.direction}" data-turbo="false" data-hx-boost="false">
    ${body}
  </div>`;
  return {
    // Of nobody's page it is not known whose site this is, where that depends on the user.
    title: showsIssuer && issuer !== "" ? messages.common.pageTitle(title, issuer) : title,
    lang,
    head: head.toString(),
    body: frame.toString(),
  };
}
