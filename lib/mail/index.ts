export { mailSender } from "../senders/mail-sender.js";
export type { MailerOptions, MailTransport } from "../senders/mailer.js";
export type { MailDestination, MailMessage, SendOptions } from "../senders/message.js";
export { emailNotices, type EmailNoticesOptions } from "./email-notices.js";
export { englishNotices } from "./english-notices.js";
export type { NoticeKindMessages, NoticeMessageOverrides, NoticeMessages, NoticeWords } from "./notice-words.js";
