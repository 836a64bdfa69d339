export { type TwilioClient, twilioSender, type TwilioSenderOptions } from "../senders/twilio.js";
export type { SendOptions, TextMessage } from "../senders/message.js";
