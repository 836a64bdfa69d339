import { maskName } from "../../core/text.js";
import { html } from "../../pages/html.js";
import { messagePage } from "../../pages/message-page.js";
import { readAddress } from "./address.js";
import { emailCodeWords } from "./words.js";

const envelope = html`<rect x="3" y="5" width="18" height="14" rx="2" /><path d="m3.5 6.75 8.5 6.5 8.5-6.5" />`;

export const emailCodePage = messagePage({
  icon: envelope,
  words: emailCodeWords,
  field: { name: "address", type: "email" },
  known({ email, emailVerified }) {
    // What would only be refused is not offered.
    const address = emailVerified === false ? undefined : readAddress(email);
    return address === undefined ? undefined : maskName(address);
  },
});
