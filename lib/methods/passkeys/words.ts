import { listed, withLabels } from "../../pages/english-numbers.js";
import type { MethodWords } from "../../pages/messages.js";

/** What is said of passkeys. */
export interface PasskeysWords extends MethodWords {
  readonly challenge: {
    readonly title: string;
    readonly choose: string;
    /** `labels`: what the visitor calls their own passkeys. */
    readonly hint: (issuer: string, labels: readonly string[]) => string;
    readonly button: string;
    /** The dialog was closed or timed out. */
    readonly cancelled: string;
  };
  /** Why passkeys are not asked for; `isAll`: these are all the visitor has. */
  readonly unusable: {
    readonly elsewhere: (labels: readonly string[], isAll: boolean) => string;
    readonly unverified: (labels: readonly string[], isAll: boolean) => string;
  };
  /** Around the browser's own dialog. */
  readonly dialog: {
    /** Instead of the button: without a script, or in a browser that has no passkeys. */
    readonly needsScript: string;
    readonly unsupported: string;
    readonly waiting: string;
    readonly failed: string;
  };
  /** Where the policy demands a factor. */
  readonly setUp: { readonly title: string; readonly lead: string; readonly submit: string };
  readonly settings: {
    /** What stands in the list instead of the kind of storage. */
    readonly synced: string;
    readonly deviceBound: string;
    /** Instead: it cannot be used at this address, or for want of a PIN or biometrics. */
    readonly elsewhere: string;
    readonly unverified: string;
    readonly removeLead: (label: string) => string;
    readonly addTitle: string;
    readonly addLead: string;
    readonly addSubmit: string;
    readonly addName: string;
    readonly addNameHint: string;
    /** The dialog was closed or timed out. */
    readonly cancelled: string;
    /** This device holds a passkey of the account already. */
    readonly alreadyHere: string;
    /** On the page for a new phone. */
    readonly replaceLead: string;
    readonly replaceSubmit: string;
    readonly passwordRefused: string;
  };
  /** The offer of a passkey after a login by code. */
  readonly offer: {
    readonly title: string;
    readonly lead: string;
    readonly add: string;
    readonly later: string;
    readonly never: string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly passkey?: PasskeysWords;
  }
}

export const passkeysWords: PasskeysWords = {
  name: "Passkey",
  challenge: {
    title: "Use your passkey",
    choose: "Use your passkey",
    hint: (_issuer, labels) =>
      withLabels("Your browser asks for your fingerprint, face, screen lock or security key.", labels),
    button: "Use your passkey",
    cancelled: "No passkey was used, and nothing has changed. Try again, or choose another way.",
  },
  unusable: {
    elsewhere: (labels, isAll) =>
      isAll
        ? "All your passkeys were made for another address, so none of them can be used here."
        : `Made for another address, so not to be used here: ${listed(labels)}.`,
    unverified: (labels, isAll) =>
      isAll
        ? "None of your passkeys asks for a PIN, fingerprint or face, and that is required now. Use another way."
        : `Without a PIN, fingerprint or face, which is required now: ${listed(labels)}.`,
  },
  dialog: {
    needsScript: "Passkeys need JavaScript, and this browser has it switched off. Any other way works without it.",
    unsupported: "This browser cannot use passkeys. Use another browser or device, or another way.",
    waiting: "Follow what your browser asks.",
    failed: "Your passkey could not be used here. Try again, or use another way.",
  },
  setUp: {
    title: "The quick way: a passkey",
    lead: "You confirm with your fingerprint, face or screen lock. There is no code to type, and nothing to steal.",
    submit: "Set up a passkey",
  },
  settings: {
    synced: "Synced between your devices",
    deviceBound: "On this device or key only",
    elsewhere: "Made for another address: it cannot be used here",
    unverified:
      "Cannot be used any more: a PIN, fingerprint or face is required now, and it never asked for one. If your key can have a PIN, set one and add it again",
    removeLead: (label) =>
      `“${label}” can then no longer be used to sign in. You are signed out everywhere else, and no browser is trusted any more. Your device may go on offering it until you delete it there too.`,
    addTitle: "Add a passkey",
    addLead: "Your fingerprint, face, screen lock or a security key instead of a code. Only this site can use it.",
    addSubmit: "Add a passkey",
    addName: "Name this passkey (optional)",
    addNameHint: "To tell it from others, for example “Key on my ring”. Without one it is called after its kind.",
    cancelled: "No passkey was added, and nothing has changed. Try again whenever you like.",
    alreadyHere: "This device already holds a passkey for your account. Use another device or key to add one more.",
    replaceLead:
      "Do this on the new phone, or choose it in the dialog. A passkey that came along with your password manager works there already.",
    replaceSubmit: "Make a passkey on the new phone",
    passwordRefused: "That password is not right. Check it and try again.",
  },
  offer: {
    title: "Skip the code next time",
    lead: "With a passkey you confirm with your fingerprint, face or screen lock. There is no code to type, and nothing that a fake site could take from you.",
    add: "Add a passkey",
    later: "Not now",
    never: "Don't ask again",
  },
};
