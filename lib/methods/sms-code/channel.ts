import type { Problem } from "../../core/errors.js";
import type { Limits } from "../../core/nouns.js";
import type { Destination, MessageChannel, SendCode, Written } from "../../engine/message-code-method.js";
import type { SendBudget } from "../../engine/method.js";
import { maskNumber, type MobileNumber, readNumber, type RefusedNumber } from "./numbers.js";
import type { SmsCodeMessage } from "./sms-code.js";
import { hostOf, smsText } from "./text.js";
import { type SmsCodeWords, smsCodeWords } from "./words.js";

/** How texts travel, as configured. */
export interface SmsSettings {
  readonly send: SendCode<SmsCodeMessage>;
  readonly countries: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
  /** `smsCountry` and `smsDay`. */
  readonly limitDefaults: Limits;
}

const NEAR = "sms-ceiling-near";

/** Why the application's own number is not taken: it may have stood in its database for years. */
const SAID: Readonly<Record<RefusedNumber["reason"], string>> = {
  "not-mobile": "The phone is not a mobile number in E.164, such as +4915112345678",
  "no-country-code": "The phone has no country code; write it in E.164, such as +4915112345678",
  "country-not-allowed": "The phone is of a country that smsCode({ countries }) does not list",
};

function destinationOf({ number }: MobileNumber): Destination {
  return { to: number, hint: maskNumber(number) };
}

function refused({ reason }: RefusedNumber): Problem {
  return { code: "invalid-request", members: { reason } };
}

/** What a body that gives none means: the application's own. A form's empty field gives none. */
function isGiven(phone: unknown): boolean {
  return phone !== undefined && phone !== null && phone !== "";
}

function textOf({ code, issuer, origin, purpose, words }: Written): { readonly text: string } {
  const { message } = (words ?? smsCodeWords) as SmsCodeWords;
  return { text: smsText({ code, issuer, host: hostOf(origin), words: message[purpose] }) };
}

/** The country whose texts it is one of, and all texts. */
function ceilingsOf(country: string): readonly SendBudget[] {
  return [
    { kind: "smsCountry", of: country, near: { action: NEAR, reason: `country:${country}` } },
    { kind: "smsDay", of: "all", near: { action: NEAR, reason: "day" } },
  ];
}

/** What texts have of their own among the codes that are sent. */
export function smsChannel({ countries, ...settings }: SmsSettings): MessageChannel<SmsCodeMessage> {
  const read = (given: unknown): Promise<MobileNumber | RefusedNumber> =>
    typeof given === "string" ? readNumber(given, countries) : Promise.resolve({ reason: "not-mobile" });
  return {
    ...settings,
    type: "sms-code",
    label: "Text message",
    amr: ["sms"],
    aal: 2,
    limitName: "sms",
    async read({ phone }, contact) {
      const number = await read(isGiven(phone) ? phone : contact.phone);
      return "reason" in number ? refused(number) : destinationOf(number);
    },
    async readKnown(source) {
      const number = await read(source);
      if ("reason" in number) throw new TypeError(SAID[number.reason]);
      return destinationOf(number);
    },
    async budgets(to) {
      // A country that was taken off the list since is sent nothing any more.
      const number = await read(to);
      return "reason" in number ? refused(number) : ceilingsOf(number.country);
    },
    addressed: (to) => to,
    write: textOf,
  };
}
