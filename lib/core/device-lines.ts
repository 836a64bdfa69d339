// What a device signs: UTF-8 lines, joined by a line feed. Written once for both sides, server and browser.

const PRODUCT = "express-second-factor push";

function joined(purpose: string, ...lines: readonly string[]): string {
  return [`${PRODUCT} ${purpose} v1`, ...lines].join("\n");
}

/** What a device may decide. */
export const DECISIONS = ["approve", "deny", "not-me"] as const;
export type PushDecision = (typeof DECISIONS)[number];

/** A device shows that it holds its key. */
export function enrollLines(challenge: string): string {
  return joined("enroll", challenge);
}

/** A device asks what it is asked. `time`: as it was sent. */
export function requestsLines(factorId: string, time: string): string {
  return joined("requests", factorId, time);
}

/** A device says where it is to be reached from now on. `subscription`: as it was sent. */
export function subscriptionLines(factorId: string, time: string, channel: string, subscription: string): string {
  return joined("subscription", factorId, time, channel, subscription);
}

export interface DecideLines {
  readonly requestId: string;
  readonly decision: PushDecision;
  /** As typed; undefined: an empty line. */
  readonly number?: string | undefined;
  /** What was asked, as the device was told. Last, for it may have lines of its own. */
  readonly text: string;
}

/** A device decides. */
export function decideLines({ decision, number = "", requestId, text }: DecideLines): string {
  return joined("decide", requestId, decision, number, text);
}
