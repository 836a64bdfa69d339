export { mailSender } from "../senders/mail-sender.js";
export type { MailerOptions, MailTransport } from "../senders/mailer.js";
export type { CodeMessage, MailDestination, SendOptions } from "../core/code-message.js";
