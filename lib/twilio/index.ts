export { type TwilioClient, twilioSender, type TwilioSenderOptions } from "../senders/twilio.js";
export type { CodeMessage, SendOptions } from "../core/code-message.js";
