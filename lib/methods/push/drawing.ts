import { html } from "../../pages/html.js";

/** A phone that says yes. */
export const deviceIcon = html`<rect x="6" y="2.75" width="12" height="18.5" rx="2.5" /><path
    d="m9.25 11.75 2.1 2.1 3.6-3.9M10.75 18.25h2.5"
  />`;
