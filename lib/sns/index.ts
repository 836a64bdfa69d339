export { type SnsClient, snsSender, type SnsSenderOptions } from "../senders/sns.js";
export type { SendOptions, TextMessage } from "../senders/message.js";
