import { once } from "../../core/once.js";
import type { MessageWords } from "../../pages/message-page.js";
import type { NumberReason } from "./numbers.js";

/** What is said of codes by text message. */
export interface SmsCodeWords extends MessageWords {
  readonly enroll: MessageWords["enroll"] & {
    /** What there is to know before a number is trusted with an account. */
    readonly swapTitle: string;
    readonly swapLead: string;
    /** `names`: of what is stronger, and stands above it on the page. */
    readonly stronger: (names: readonly string[]) => string;
  };
  /**
   * The text on the phone, without the last line, which the phone reads. One message has 160 characters of the alphabet of GSM; where the
   * issuer has no room in it, it is empty here.
   */
  readonly message: {
    readonly login: (code: string, issuer: string) => string;
    readonly enroll: (code: string, issuer: string) => string;
  };
  /** Why no code is sent to a number, by the reason that clients are told. */
  readonly problems: Readonly<Record<NumberReason, string>>;
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly "sms-code"?: SmsCodeWords;
  }
}

const oneOf = once(() => new Intl.ListFormat("en", { type: "disjunction" }));

export const smsCodeWords: SmsCodeWords = {
  name: "Code by text message",
  challenge: {
    title: "Get a code by text message",
    choose: "Get a code by text message",
    lead: (issuer) => `${issuer} texts a 6-digit code to your phone when you ask for it.`,
    send: (target) => `Text a code to ${target}`,
    sendAgain: (target) => `Text the code to ${target} again`,
    sent: (target) => `We texted a code to ${target}.`,
    until: "It works until",
    again: "You can ask again from",
    label: "6-digit code",
    hint: () => "Never pass it on, whoever asks: we never do.",
    unreadable: "Enter the 6 digits of the text message.",
  },
  enroll: {
    title: "Get codes by text message",
    lead: "When you sign in, you can have a 6-digit code texted to this phone.",
    swapTitle: "Texts can be stolen.",
    swapLead:
      "Somebody who talks your phone company into moving your number to their SIM card gets your codes in your place: that is called SIM swapping. Ask your phone company for a PIN that protects your number.",
    stronger: (names) => `Safer, and just as quick to set up: ${oneOf().format(names)}, above.`,
    destination: "Mobile number",
    destinationHint: "With its country code, such as +44 7700 900123. We text a first code there now.",
    known: (target) => `Leave it empty to use ${target}. We text a first code there now.`,
    submit: "Text the first code",
    codeTitle: "Enter the code we texted you",
    codeLead: "We texted a code to the number you gave.",
    codeLabel: "6-digit code",
    codeHint: "Nothing is turned on until it is right.",
    codeSubmit: "Turn on",
    sendAgain: "Text the code again",
  },
  settings: {
    change: "Change the number",
    changeLead: "Codes go to the old number until the new one is confirmed.",
    changeSubmit: "Text a code to the new number",
  },
  message: {
    login: (code, issuer) =>
      issuer === ""
        ? `${code} is your code to sign in. Never pass it on, whoever asks.`
        : `${code} is your code to sign in to ${issuer}. Never pass it on, whoever asks: nobody from ${issuer} ever will.`,
    enroll: (code, issuer) =>
      issuer === ""
        ? `${code} is your code to add this number. Never pass it on, whoever asks.`
        : `${code} is your code to add this number to your account at ${issuer}. Never pass it on, whoever asks.`,
  },
  problems: {
    "not-mobile": "We can text mobile numbers only. Enter one with its country code, such as +44 7700 900123.",
    "no-country-code": "Enter the number with its country code, such as +44 7700 900123.",
    "country-not-allowed": "We cannot send texts to that country. Use another number, or another way.",
  },
};
