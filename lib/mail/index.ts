export { mailSender } from "../senders/mail-sender.js";
export type { MailerOptions, MailTransport } from "../senders/mailer.js";
export type { MailDestination, MailMessage, SendOptions } from "../senders/message.js";
