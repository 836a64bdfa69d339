import { html } from "./html.js";
import type { PageContext } from "./views.js";

/**
 * Opens `place` from this site, by itself. A browser that another site sent here keeps `SameSite=Strict` cookies to itself, through
 * every redirection and reload; what a page of this site opens it sends them to. Without the application's frame: nobody reads it.
 */
export function bouncePage({ lang, messages }: PageContext, place: string): string {
  return html`<!doctype html>
    <html lang="${lang}" dir="${messages.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta http-equiv="refresh" content="0;url=${place}" />
        <title>${messages.common.continue}</title>
      </head>
      <body>
        <p><a href="${place}">${messages.common.continue}</a></p>
      </body>
    </html> `.toString();
}
