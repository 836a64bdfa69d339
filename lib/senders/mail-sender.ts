import { makesTakers, taker } from "../core/takers.js";
import { Mailer, type MailerOptions } from "./mailer.js";
import type { MailMessage, SendOptions } from "./message.js";

/** What a mail is called that brings no subject of its own. */
const SUBJECT = "Your code";

/**
 * A `send` for codes by e-mail, over a transport of nodemailer's.
 *
 * Each mail goes to one validated address and to nobody else; a line break, a comma or a second address in it is refused before the
 * server hears of it. Does NOT encrypt by itself: say `secure: true` or `requireTLS: true` to the transport. Does NOT retry: a mail that
 * is not taken is a `DeliveryError` with the server's `code` and `status` and no text of its own, and the user asks again.
 *
 * @throws ConfigurationError where `from` is not one address, where the transport is none, or for an option it does not have
 *
 * @example
 * ```ts
 * import nodemailer from "nodemailer";
 * import { backupCodes, emailCode, totp } from "express-second-factor";
 * import { mailSender } from "express-second-factor/mail";
 *
 * const transport = nodemailer.createTransport({ host: "smtp.acme.example", port: 465, secure: true });
 * const send = mailSender({ transport, from: "Acme <no-reply@acme.example>" });
 * app.use(secondFactor({ ..., methods: [totp(), backupCodes(), emailCode({ send })] }));
 * ```
 */
export function mailSender(options: MailerOptions): (message: MailMessage, options?: SendOptions) => Promise<void> {
  const mailer = new Mailer(options, "mailSender: ");
  const send = ({ to, subject = SUBJECT, text, html, locale }: MailMessage, { signal }: SendOptions = {}) =>
    mailer.deliver({ to, subject, text, html, locale }, signal && { signal });
  return taker(["mail"], send);
}

makesTakers(mailSender, "mailSender({ transport, from })");
