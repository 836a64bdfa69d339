import { type Html, html } from "./html.js";

const SHAPES = {
  app: html`<rect x="6" y="2.75" width="12" height="18.5" rx="2.5" /><path d="M10.5 17.75h3" />`,
  browser: html`<rect x="3" y="4" width="18" height="12.5" rx="2" /><path d="M8.5 20.25h7M12 16.5v3.75" />`,
  clock: html`<circle cx="12" cy="12" r="8.75" /><path d="M12 7v5l3.25 2" />`,
  key: html`<circle cx="8" cy="15.5" r="4.25" /><path d="m11 12.5 8.5-8.5M16 7.5l3 3M13.5 10l2 2" />`,
  lock: html`<rect x="4.75" y="10.5" width="14.5" height="10" rx="2.25" /><path d="M8 10.5V7.25a4 4 0 0 1 8 0v3.25" />`,
  passkey: html`<circle cx="9" cy="7.5" r="3.75" /><path d="M2.75 20c0-3.75 2.75-6 6.25-6 .9 0 1.7.15 2.5.4" />
    <circle cx="17.25" cy="13.25" r="2.75" /><path d="M17.25 16v5.25l1.75-1.25M17.25 18.25H19" />`,
  shield: html`<path d="M12 2.75 4.5 5.5v5.75c0 4.75 3.2 8.3 7.5 10 4.3-1.7 7.5-5.25 7.5-10V5.5Z" />
    <path d="m8.75 11.9 2.35 2.35 4.3-4.5" />`,
  warning: html`<path d="M12 3.5 2.75 19.75h18.5Z" /><path d="M12 10v4.25M12 17.1v.15" />`,
} as const;

export type IconName = keyof typeof SHAPES;

/** One of the built-in drawings, or one's own: an `<svg>` element, or shapes for one with `viewBox="0 0 24 24"`. */
export type Icon = IconName | Html;

function isName(drawing: Icon): drawing is IconName {
  return typeof drawing === "string" && Object.hasOwn(SHAPES, drawing);
}

/**
 * A decorative drawing; it says nothing that the text beside it does not say. Lines take the colour of the text.
 *
 * Does NOT name itself to a screen reader: a button or a link needs a text beside it.
 *
 * @example
 * ```ts
 * import { html, icon } from "express-second-factor";
 *
 * const envelope = html`<rect x="3" y="5" width="18" height="14" rx="2" /><path d="m3.5 6.5 8.5 7 8.5-7" />`;
 * const line = html`<p>${icon(envelope)} We wrote to you.</p>`;
 * ```
 */
export function icon(drawing: Icon): Html {
  const shapes = isName(drawing) ? SHAPES[drawing] : drawing;
  return html`<svg class="sf-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shapes}</svg>`;
}
