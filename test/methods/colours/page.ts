import { type AddForm, codePage, type Html, html, type MethodPage, postButton } from "express-second-factor";
import { type ColourWords, colourWords } from "./words.js";

const drawing = html`<circle cx="8" cy="9" r="4.5" /><circle cx="16" cy="9" r="4.5" /><circle
    cx="12"
    cy="16"
    r="4.5"
  />`;

/** The one field that setting up colours needs beside the name. */
function addressField({ place, type, words: { enroll } }: AddForm<ColourWords>): Html {
  const id = `sf-${type}-${place}-address`;
  return html`<div class="sf-field">
    <label for="${id}">${enroll.address}</label>
    <p class="sf-hint" id="${id}-hint">${enroll.addressHint}</p>
    <input id="${id}" name="address" type="email" autocomplete="email" required aria-describedby="${id}-hint" />
  </div>`;
}

/** A form for the colours with a button that sends them, two forms that set them up, and a button in the settings. */
export const coloursPage: MethodPage<ColourWords> = {
  ...codePage<ColourWords>({ icon: drawing, words: colourWords, kind: "letters", fields: addressField }),
  row: ({ context, factor, type, words }) => ({
    actions: postButton({
      action: `${context.base}/${type}/send`,
      text: words.settings.check,
      look: "link",
      fields: { factorId: factor.id },
    }),
  }),
};
