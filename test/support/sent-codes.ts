import { backupCodes, emailCode, type EmailCodeOptions, type Method, smsCode, totp } from "express-second-factor";
import { testApp, type TestApp, type TestAppOptions } from "./app.js";
import { HOUR, MINUTE } from "./attack.js";
import { Jar } from "./browser.js";
import { failing, type Fault } from "./faults.js";

/** A message with a code, as both kinds of sender are given it. */
export interface SentCode {
  readonly to: { readonly address: string } | string;
  readonly code: string;
  readonly text: string;
  readonly purpose: "login" | "enroll";
  readonly locale: string;
  readonly expiresAt: string;
}

/** Where messages arrive. Nothing leaves it. */
export class CodeOutbox {
  readonly messages: SentCode[] = [];
  /** What goes wrong with the next messages. */
  fault: Fault | undefined;

  readonly send = (message: SentCode): Promise<void> =>
    failing(this.fault, async () => void this.messages.push(message));

  get last(): SentCode {
    const message = this.messages.at(-1);
    if (message === undefined) throw new Error("Nothing was sent");
    return message;
  }

  /** What was sent since the last time somebody asked. */
  taken(): SentCode[] {
    return this.messages.splice(0);
  }
}

export interface CodeApp extends TestApp {
  readonly outbox: CodeOutbox;
}

export const COUNTRIES = ["DE", "GB"] as const;
export const CODE_TYPES = ["email-code", "sms-code"] as const;
export type CodeType = (typeof CODE_TYPES)[number];

interface Kind {
  readonly base: string;
  /** What the body of an enrollment calls the destination. */
  readonly member: "address" | "phone";
  /** The name of the account's limit on messages. */
  readonly limit: "emailSend" | "smsSend";
  /** A destination of a user's own, that no other answer has a reason to name. */
  destinationOf(name: string): string;
  mask(destination: string): string;
}

const DIGITS: Readonly<Record<string, string>> = { alice: "01", mallory: "02", carol: "03", dave: "04" };

export const KINDS: Readonly<Record<CodeType, Kind>> = {
  "email-code": {
    base: "/2fa/email-code",
    member: "address",
    limit: "emailSend",
    destinationOf: (name) => `${name}-at-home@mail.test`,
    mask: (destination) => `${destination.slice(0, 1)}•••${destination.slice(destination.indexOf("@"))}`,
  },
  "sms-code": {
    base: "/2fa/sms-code",
    member: "phone",
    limit: "smsSend",
    destinationOf: (name) => `+4915123456${DIGITS[name] ?? "99"}7`,
    mask: (destination) => `•••• ${destination.slice(-2)}`,
  },
};

/** `terms`: how long a sender is waited for. */
export function codeMethods(
  { send }: Pick<CodeOutbox, "send">,
  terms: Pick<EmailCodeOptions, "timeout"> = {},
): readonly Method[] {
  return [emailCode({ send, ...terms }), smsCode({ send, countries: COUNTRIES, ...terms }), totp(), backupCodes()];
}

/** An application with both methods, whose messages stay in it. */
export function codeApp({ options = {}, ...given }: TestAppOptions = {}, outbox = new CodeOutbox()): CodeApp {
  return { ...testApp({ ...given, options: { methods: codeMethods(outbox), ...options } }), outbox };
}

/** Two servers of one application; what either sends arrives in one place. */
export function inOutbox(outbox: CodeOutbox, target: TestApp): CodeApp {
  return { ...target, outbox };
}

/** Where a message went, as text. */
export function placeOf({ to }: SentCode): string {
  return typeof to === "string" ? to : to.address;
}

/** Sets the kind up in a login that may; answers the factor's id. */
export async function addCodes(jar: Jar<CodeApp>, type: CodeType, destination: string): Promise<string> {
  const { outbox } = jar.target;
  const { base, member } = KINDS[type];
  const begun = await jar.post(`${base}/enroll`, { [member]: destination });
  if (begun.status !== 202) throw new Error(`enrollment answered ${begun.status}: ${begun.text}`);
  const { factorId } = begun.body as { factorId: string };
  const done = await jar.post(`${base}/enroll/confirm`, { factorId, code: outbox.last.code });
  if (done.status !== 201) throw new Error(`confirmation answered ${done.status}: ${done.text}`);
  return factorId;
}

/** Sets the kind up for a user, whose login is over afterwards; all budgets are fresh again, and the outbox is empty. */
export async function withCodes(target: CodeApp, type: CodeType, name: string): Promise<string> {
  const jar = new Jar(target);
  await jar.login(name);
  const factorId = await addCodes(jar, type, KINDS[type].destinationOf(name));
  await jar.post("/logout");
  target.clock.advance(HOUR + MINUTE);
  target.outbox.taken();
  return factorId;
}

/** Has a code sent to a login, and answers it. */
export async function sentTo(jar: Jar<CodeApp>, type: CodeType, body: object = {}): Promise<string> {
  const sent = await jar.post(`${KINDS[type].base}/send`, body);
  if (sent.status !== 202) throw new Error(`sending answered ${sent.status}: ${sent.text}`);
  return jar.target.outbox.last.code;
}

/** Six digits that are none of these codes. */
export function wrongFor(...codes: readonly string[]): string {
  return guesses(1, codes)[0]!;
}

/** So many different sixes of digits that are none of these codes. */
export function guesses(count: number, codes: readonly string[]): string[] {
  const made: string[] = [];
  for (let number = 100_000; made.length < count; number += 7) {
    if (!codes.includes(String(number))) made.push(String(number));
  }
  return made;
}

/** Answers a code; the answer's status. */
export async function answered(jar: Jar<CodeApp>, type: CodeType, code: unknown, body: object = {}): Promise<number> {
  const answer = await jar.post(KINDS[type].base, { code, ...body });
  if (answer.status >= 500) throw new Error(`answering ${type} was ${answer.status}: ${answer.text}`);
  return answer.status;
}
