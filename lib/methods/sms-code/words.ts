import type { CodeWords } from "../../pages/code-page.js";
import type { NumberReason } from "./numbers.js";

/** What is said of codes by text message. */
export interface SmsCodeWords extends CodeWords {
  readonly challenge: Required<CodeWords["challenge"]>;
  readonly enroll: NonNullable<CodeWords["enroll"]> & {
    readonly phone: string;
    readonly phoneHint: string;
    /** What there is to know before a number is trusted with an account. */
    readonly swapTitle: string;
    readonly swapLead: string;
    /** `names`: what else can be set up here, and is stronger. */
    readonly stronger: (names: readonly string[]) => string;
  };
  /** Why no code is sent to a number. */
  readonly reasons: Readonly<Record<NumberReason, string>>;
  /**
   * The text on the phone, without the last line, which the phone reads. One message has 160 characters of the alphabet of GSM; without
   * an issuer (empty) the sentence has to do without.
   */
  readonly message: {
    readonly login: (code: string, issuer: string) => string;
    readonly enroll: (code: string, issuer: string) => string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly "sms-code"?: SmsCodeWords;
  }
}

const anyOf = (names: readonly string[]): string => new Intl.ListFormat("en", { type: "disjunction" }).format(names);

export const smsCodeWords: SmsCodeWords = {
  name: "Text message",
  challenge: {
    title: "Enter the code we texted you",
    choose: "Get a code by text message",
    send: (target) => `Text a code to ${target}`,
    label: "6-digit code",
    hint: (issuer) =>
      `The newest text from ${issuer} has it. It works for five minutes. Never pass it on, whoever asks.`,
    unreadable: "Enter the 6 digits of the text message.",
  },
  enroll: {
    title: "Add a mobile number",
    lead: "When you sign in, we text a code to your phone.",
    phone: "Mobile number",
    phoneHint: "With the country code, such as +44 7700 900123. We text a first code to it now.",
    swapTitle: "What to know about text messages",
    swapLead:
      "Your phone company can be talked into moving your number to somebody else’s SIM card. That is called SIM swapping: your codes then go to them, and your phone goes quiet. Ask your company for a PIN that protects your number.",
    stronger: (names) => `Safer, and just as quick to set up: ${anyOf(names)}. You find it above.`,
    submit: "Text me a code",
    codeTitle: "Enter the code we texted you",
    codeLead: "Nothing is turned on until the code is right.",
    codeLabel: "6-digit code",
    codeHint: "It is in the text we sent you. It works for five minutes.",
    codeSubmit: "Turn on",
  },
  reasons: {
    "not-mobile": "That is not a mobile number we can text. Enter one with its country code, such as +44 7700 900123.",
    "no-country-code": "Enter the number with its country code, such as +44 7700 900123.",
    "country-not-allowed": "We cannot text numbers of that country. Use another number, or another way.",
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
};
