import type { MessageWords } from "../../pages/message-page.js";

/** What is said of codes by e-mail. */
export interface EmailCodeWords extends MessageWords {
  /** The mail itself. The code is never part of the subject: lock screens show it. */
  readonly message: {
    readonly subject: (issuer: string) => string;
    readonly enrollSubject: (issuer: string) => string;
    /** Stands above the code. */
    readonly lead: (issuer: string) => string;
    readonly enrollLead: (issuer: string) => string;
    readonly life: (minutes: number) => string;
    readonly never: (issuer: string) => string;
    /** For whoever has not asked for it. */
    readonly unasked: (issuer: string) => string;
    readonly enrollUnasked: (issuer: string) => string;
  };
  /** What is wrong with an address, by the reason that clients are told. */
  readonly problems: {
    readonly "not-an-address": string;
    readonly "email-unverified": string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly "email-code"?: EmailCodeWords;
  }
}

export const emailCodeWords: EmailCodeWords = {
  name: "Code by e-mail",
  challenge: {
    title: "Get a code by e-mail",
    choose: "Get a code by e-mail",
    lead: (issuer) => `${issuer} sends a 6-digit code to your address when you ask for it.`,
    send: (target) => `Send a code to ${target}`,
    sendAgain: () => "Send the code again",
    sent: (target) => `We sent a code to ${target}.`,
    until: "It works until",
    again: "You can ask again from",
    label: "6-digit code",
    hint: () => "If nothing comes, look into the folder for unwanted mail.",
    unreadable: "Enter the 6 digits from the e-mail.",
  },
  enroll: {
    title: "Get codes by e-mail",
    lead: "When you sign in, you can have a 6-digit code sent to this address. An authenticator app or a passkey protects you better.",
    destination: "E-mail address",
    destinationHint: "We send a first code there now.",
    known: (target) => `Leave it empty to use ${target}. We send a first code there now.`,
    submit: "Send the first code",
    codeTitle: "Enter the code we sent you",
    codeLead: "We sent a code to the address you gave.",
    codeLabel: "6-digit code",
    codeHint: "Nothing is turned on until it is right.",
    codeSubmit: "Turn on",
    sendAgain: "Send the code again",
  },
  settings: {
    change: "Change the address",
    changeLead: "Codes go to the old address until the new one is confirmed.",
    changeSubmit: "Send a code to the new address",
  },
  message: {
    subject: (issuer) => `Your code for ${issuer}`,
    enrollSubject: (issuer) => `Confirm your address for ${issuer}`,
    lead: (issuer) => `This is your code to sign in to ${issuer}:`,
    enrollLead: (issuer) => `Enter this code to get sign-in codes for ${issuer} at this address:`,
    life: (minutes) =>
      `It works for ${minutes === 1 ? "1 minute" : `${minutes} minutes`}, and only where you asked for it.`,
    never: (issuer) => `Never pass it on to anybody. Nobody from ${issuer} ever asks you for it.`,
    unasked: (issuer) => `If you did not ask for this code, somebody may know your password for ${issuer}: change it.`,
    enrollUnasked: () => "If you did not ask for this code, you need not do anything.",
  },
  problems: {
    "not-an-address": "Enter one e-mail address, such as ann@example.com.",
    "email-unverified":
      "This address of your account is not confirmed yet. Confirm it first, or use another way to protect your account.",
  },
};
