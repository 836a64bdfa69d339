import { DeliveryError } from "../core/delivery-error.js";
import type { SendOptions, TextMessage } from "./message.js";

export type SendText = (message: TextMessage, options?: SendOptions) => Promise<void>;

export const WHAT = "The text message";

/** ITU-T E.164: up to fifteen digits. One number, and no channel of a provider's before it. */
const NUMBER = /^\+[1-9]\d{6,14}$/;

export function isNumber(text: unknown): text is string {
  return typeof text === "string" && NUMBER.test(text);
}

/** The one number a text goes to. */
export function numberOf({ to }: TextMessage): string {
  if (!isNumber(to)) throw new DeliveryError(WHAT, { code: "invalid-number" });
  return to;
}
