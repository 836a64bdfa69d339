import { setTimeout } from "node:timers/promises";
import { ConfigurationError } from "../core/errors.js";
import { SECOND } from "../core/nouns.js";
import { tried } from "../core/tried.js";
import { fingerprint } from "../crypto/fingerprint.js";
import type { Notice, NoticeKind, Notify } from "../events/notices.js";
import { mergeWords, messageProblems } from "../pages/words.js";
import { type Duration, milliseconds } from "../policy/durations.js";
import { nearest } from "../core/option-names.js";
import { makesTakers, taker } from "../core/takers.js";
import { DeliveryError, NO_ADDRESS } from "../core/delivery-error.js";
import { mailboxOf } from "../senders/mailbox.js";
import type { MailDestination } from "../senders/message.js";
import { type Mail, Mailer, MAILER_OPTIONS, type MailerOptions } from "../senders/mailer.js";
import { englishNotices } from "./english-notices.js";
import { noticeMail } from "./notice-mail.js";
import type { NoticeMessages, NoticeWords } from "./notice-words.js";

/** What `emailNotices()` takes. */
export interface EmailNoticesOptions extends MailerOptions {
  /**
   * Words to replace, or a function that answers those of a language; `lang` in them says which it is. Default: English. Where the
   * function fails or answers nothing the mail is in English.
   */
  readonly messages?: NoticeWords;
  /** The time zone that times are told in, such as `"Europe/Berlin"`; mails name it. Default: `"UTC"`. */
  readonly zone?: string;
  /** Kinds that no mail is sent for. Default: none. */
  readonly except?: readonly NoticeKind[];
  /** How long to wait before each further try. An empty list: one try. Default: `["10s", "1m", "4m"]`. */
  readonly retries?: readonly Duration[];
}

const DEFAULT_RETRIES: readonly Duration[] = ["10s", "1m", "4m"];
/** One try takes no longer. */
const LONGEST_TRY = 30 * SECOND;
const OPTIONS = [...MAILER_OPTIONS, "messages", "zone", "except", "retries"] satisfies (keyof EmailNoticesOptions)[];

type Given = { readonly [Name in keyof EmailNoticesOptions]?: unknown };

function wordsProblems({ messages }: Given): string[] {
  if (messages === undefined || typeof messages === "function") return [];
  if (typeof messages !== "object" || messages === null)
    return ["emailNotices: messages must be an object of messages to replace, or a function that answers one"];
  return messageProblems(englishNotices, messages, "emailNotices: messages");
}

function problemsOf({ except, retries, zone, ...given }: Given): string[] {
  const isZone = zone === undefined || (typeof zone === "string" && canTell("en", zone));
  const isDelays = retries === undefined || (Array.isArray(retries) && retries.every((each) => milliseconds(each)));
  return [
    ...wordsProblems(given),
    ...(isZone ? [] : ['emailNotices: zone must be a time zone, such as "Europe/Berlin"']),
    ...exceptProblems(except),
    ...(isDelays ? [] : ['emailNotices: retries must be a list of durations, such as ["10s", "1m", "4m"]']),
  ];
}

function exceptProblems(except: unknown): string[] {
  if (except === undefined) return [];
  if (!Array.isArray(except))
    return ['emailNotices: except must be a list of kinds of notices, such as ["new-browser"]'];
  const kinds = Object.keys(englishNotices.kinds);
  return except
    .filter((kind) => !isKind(kind))
    .map((kind) => {
      const meant = nearest(String(kind), kinds);
      const mend = meant === undefined ? `; there are ${kinds.join(", ")}` : `; did you mean "${meant}"?`;
      return `emailNotices: except: there is no kind of notice ${JSON.stringify(kind)}${mend}`;
    });
}

function isKind(kind: unknown): kind is NoticeKind {
  return typeof kind === "string" && Object.hasOwn(englishNotices.kinds, kind);
}

/** @throws ConfigurationError with every problem */
function mailerOf(options: EmailNoticesOptions): Mailer {
  const problems = problemsOf(Object(options) as Given);
  try {
    const mailer = new Mailer(options, "emailNotices: ", OPTIONS);
    if (problems.length === 0) return mailer;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.unshift(...error.problems);
  }
  throw new ConfigurationError(problems);
}

/** Whether this machine knows the language and the time zone; a language it has no words for it knows as well. */
function canTell(lang: string, timeZone?: string): boolean {
  return tried(() => new Intl.DateTimeFormat(lang, { timeZone })) !== undefined;
}

/** English, with the application's own words in its place: what it gives cannot keep an owner from being told. */
function wordsOf(messages: NoticeWords | undefined, locale: string): NoticeMessages {
  if (messages === undefined) return englishNotices;
  const given = typeof messages === "function" ? answered(messages, locale) : messages;
  const words = mergeWords(englishNotices, given) as NoticeMessages;
  return canTell(words.lang) ? words : { ...words, lang: englishNotices.lang };
}

function answered(messages: NoticeWords & ((locale: string) => unknown), locale: string): unknown {
  try {
    return messages(locale);
  } catch (error) {
    const { message } = error as Partial<Error>;
    process.emitWarning(`emailNotices: messages failed for ${JSON.stringify(locale)}: ${message ?? "it threw"}`, {
      code: "SECOND_FACTOR_NOTICE_MESSAGES",
    });
    return undefined;
  }
}

/** It was said no to for good: another try would not be taken either. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof DeliveryError)) return false;
  return error.code === "invalid-address" || (error.status ?? 0) >= 500;
}

/** The same at each try, so that a mail that was taken twice is shown once. */
function messageId({ at, number, userId }: Notice, { address }: MailDestination, domain: string): string {
  return `<notice-${number}-${fingerprint(JSON.stringify([userId, at, number, address]))}@${domain}>`;
}

/**
 * A `notify` that writes to account owners by e-mail, over a transport of nodemailer's: what happened, when, on which browser, from
 * which network address, its number in their activity list, and a link for whoever it was not. Text and HTML, no pictures, no tracking.
 *
 * A mail that is not taken is tried again, by default three times within some five minutes; what the server refuses for good (5xx) is
 * not. Then it is the event `notice-failed`, and an `error` event at the place `notify`. Tries that are waited for end with the process.
 * A server that took a mail and did not say so gets it a second time under the same `Message-ID`.
 *
 * Does NOT send text messages: of a number that was replaced, the owner's address is told. Where no address is known for a user it
 * rejects.
 *
 * @throws ConfigurationError that lists every problem of the options
 *
 * @example
 * ```ts
 * import nodemailer from "nodemailer";
 * import { emailNotices } from "express-second-factor/mail";
 *
 * const transport = nodemailer.createTransport({ host: "smtp.acme.example", port: 465, secure: true });
 * const notify = emailNotices({ transport, from: "Acme <security@acme.example>", zone: "Europe/Berlin" });
 * app.use(secondFactor({ ..., notify }));
 * ```
 */
export function emailNotices(options: EmailNoticesOptions): Notify {
  const mailer = mailerOf(options);
  const { except = [], from, messages, retries = DEFAULT_RETRIES, zone = "UTC" } = options;
  const domain = mailboxOf(from)?.address.split("@").at(-1) ?? "localhost";
  const delays = retries.map((delay) => milliseconds(delay) ?? 0);
  const mailOf = (notice: Notice, to: MailDestination): Mail => {
    const words = wordsOf(messages, notice.locale);
    const headers = {
      "Message-ID": messageId(notice, to, domain),
      "List-Id": `<security-notices.${domain}>`,
    };
    return { ...noticeMail(notice, words, zone), to, locale: words.lang, headers };
  };
  const notify = async (notice: Notice): Promise<void> => {
    const { kind, to } = notice;
    if (except.includes(kind) || typeof to === "string") return;
    if (to === undefined) throw new DeliveryError("The notice", { code: NO_ADDRESS });
    await delivered(mailer, mailOf(notice, to), delays);
  };
  const patience = delays.reduce((sum, delay) => sum + delay + LONGEST_TRY, LONGEST_TRY) + SECOND;
  return taker(["notice"], Object.assign(notify, { patience }));
}

makesTakers(emailNotices, "emailNotices({ transport, from })");

async function delivered(mailer: Mailer, mail: Mail, [delay, ...later]: readonly number[]): Promise<void> {
  try {
    await mailer.deliver(mail);
  } catch (error) {
    if (delay === undefined || isFinal(error)) throw error;
    await setTimeout(delay, undefined, { ref: false });
    await delivered(mailer, mail, later);
  }
}
