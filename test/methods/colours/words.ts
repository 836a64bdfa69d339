import type { CodeWords } from "express-second-factor";

/** What is said of colour sequences. `pages.messages.methods["colour-sequence"]` replaces any of it. */
export interface ColourWords extends CodeWords {
  readonly challenge: Required<CodeWords["challenge"]>;
  readonly enroll: NonNullable<CodeWords["enroll"]> & {
    readonly address: string;
    readonly addressHint: string;
  };
  readonly settings: {
    /** Sends a sequence, so that its owner sees that the address still works. */
    readonly check: string;
  };
}

declare module "express-second-factor" {
  interface WordsByType {
    readonly "colour-sequence"?: ColourWords;
  }
}

export const colourWords: ColourWords = {
  name: "Colours by e-mail",
  challenge: {
    title: "Enter the colours we sent you",
    choose: "Get colours by e-mail",
    send: (target) => `Send colours to ${target}`,
    label: "Seven colours",
    hint: (issuer) => `${issuer} sends them to your address. They work for five minutes.`,
    unreadable: "Enter all seven colours, such as red, green, blue, red, black, white, red.",
  },
  enroll: {
    title: "Add colours by e-mail",
    lead: "Each time you sign in, you get seven colours to enter.",
    address: "E-mail address",
    addressHint: "The first colours go there now.",
    submit: "Send the first colours",
    codeTitle: "Enter the colours",
    codeLead: "Nothing is turned on until they are right.",
    codeLabel: "Seven colours",
    codeHint: "They are in the e-mail we sent you. They work for five minutes.",
    codeSubmit: "Turn on",
  },
  settings: { check: "Try it out" },
};
