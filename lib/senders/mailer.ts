import { DeliveryError, type DeliveryReason } from "../core/delivery-error.js";
import { ConfigurationError } from "../core/errors.js";
import { isMailAddress } from "../core/mail-address.js";
import { optionsProblems } from "../core/option-names.js";
import { attempt } from "../core/attempt.js";
import { type Mailbox, mailboxOf } from "./mailbox.js";
import type { MailDestination, SendOptions } from "./message.js";

/** A mail as nodemailer takes it. */
export interface OutgoingMail {
  readonly from: Mailbox;
  readonly to: MailDestination & { readonly name: string };
  readonly replyTo?: Mailbox;
  readonly envelope: { readonly from: string; readonly to: string[] };
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly headers: Record<string, string>;
  readonly disableFileAccess: true;
  readonly disableUrlAccess: true;
  readonly signal: AbortSignal;
}

/** As much of nodemailer's transporter (version 10 or later) as is used: what `createTransport` answers. */
export interface MailTransport {
  sendMail(mail: OutgoingMail): PromiseLike<unknown>;
}

/** Whom mails are from, and who takes them over. */
export interface MailerOptions {
  /** nodemailer's: `createTransport({ host, port: 465, secure: true, auth })`. */
  readonly transport: MailTransport;
  /** `"Acme <no-reply@acme.example>"`, or `{ name, address }`. */
  readonly from: string | { readonly name?: string; readonly address: string };
  /** Where an answer goes. Default: `from`. */
  readonly replyTo?: string | { readonly name?: string; readonly address: string };
  /** The address that mail comes back to which cannot be delivered (the envelope's sender). Default: that of `from`. */
  readonly bounces?: string;
}

export const MAILER_OPTIONS = ["transport", "from", "replyTo", "bounces"] satisfies (keyof MailerOptions)[];

export interface Mail {
  readonly to: MailDestination;
  readonly subject: string;
  readonly text: string;
  readonly html?: string | undefined;
  /** The language it is in (BCP 47). */
  readonly locale?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const WHAT = "The mail";
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;

function isTransport(given: unknown): boolean {
  return typeof (Object(given) as { sendMail?: unknown }).sendMail === "function";
}

function mailboxProblem(name: string, given: unknown): string[] {
  if (mailboxOf(given) !== undefined) return [];
  return [`${name} must be one address, such as "Acme <no-reply@acme.example>" or { name, address }`];
}

/** `where`: `mailSender: `. */
function problemsOf(options: MailerOptions, names: readonly string[], where: string): string[] {
  if (isTransport(options)) return [`${where}the transport is one of the options: { transport, from }`];
  const { transport, from, replyTo, bounces } = Object(options) as Partial<Record<keyof MailerOptions, unknown>>;
  const isBounces = bounces === undefined || (typeof bounces === "string" && isMailAddress(bounces));
  return [
    ...optionsProblems(options, names, where),
    ...(isTransport(transport)
      ? []
      : [`${where}transport must be one of nodemailer's: nodemailer.createTransport({ … })`]),
    ...mailboxProblem(`${where}from`, from),
    ...(replyTo === undefined ? [] : mailboxProblem(`${where}replyTo`, replyTo)),
    ...(isBounces ? [] : [`${where}bounces must be an address, such as "bounces@acme.example"`]),
  ];
}

/** The time-out while connecting is no silence: nothing was sent yet. */
function reasonOf(error: unknown): DeliveryReason {
  const { code, responseCode, timeoutType } = Object(error) as Readonly<Record<string, unknown>>;
  return { code: timeoutType ?? code, status: responseCode };
}

/** Hands single mails to a transport of nodemailer's. */
export class Mailer {
  private readonly transport: MailTransport;
  private readonly from: Mailbox;
  private readonly replyTo: Mailbox | undefined;
  private readonly bounces: string;

  /**
   * @param where - whose options they are: `mailSender: `
   * @param names - every option there is
   * @throws ConfigurationError with every problem
   */
  constructor(options: MailerOptions, where: string, names: readonly string[] = MAILER_OPTIONS) {
    const problems = problemsOf(options, names, where);
    const from = mailboxOf((Object(options) as Partial<MailerOptions>).from);
    if (from === undefined || problems.length > 0) throw new ConfigurationError(problems);
    this.transport = options.transport;
    this.from = from;
    this.replyTo = mailboxOf(options.replyTo);
    this.bounces = options.bounces ?? from.address;
  }

  /**
   * To one address, whatever else a transport's defaults name: the envelope says so. Rejects with a `DeliveryError` where the mail was
   * not taken, with an `UnavailableError` where nobody answered.
   */
  async deliver(mail: Mail, { signal }: SendOptions = {}): Promise<void> {
    const { address } = Object(mail.to) as Partial<MailDestination>;
    if (typeof address !== "string" || !isMailAddress(address)) {
      throw new DeliveryError(WHAT, { code: "invalid-address" });
    }
    await attempt({
      what: WHAT,
      signal,
      ask: (over) => this.transport.sendMail(this.outgoing(mail, address, over)),
      reasonOf,
    });
  }

  private outgoing({ subject, text, html, locale, headers }: Mail, address: string, signal: AbortSignal): OutgoingMail {
    const isLanguage = locale !== undefined && LANGUAGE.test(locale);
    return {
      from: this.from,
      to: { name: "", address },
      ...(this.replyTo !== undefined && { replyTo: this.replyTo }),
      envelope: { from: this.bounces, to: [address] },
      subject,
      text,
      ...(html !== undefined && { html }),
      // RFC 3834: nobody's holiday notice answers it.
      headers: { "Auto-Submitted": "auto-generated", ...(isLanguage && { "Content-Language": locale }), ...headers },
      disableFileAccess: true,
      disableUrlAccess: true,
      signal,
    };
  }
}
