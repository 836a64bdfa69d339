export { type SnsClient, snsSender, type SnsSenderOptions } from "../senders/sns.js";
export type { CodeMessage, SendOptions } from "../core/code-message.js";
