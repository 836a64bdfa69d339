import { expect } from "@jest/globals";
import type { PushChannel, PushSubscriptionJson } from "express-second-factor";
import { UnavailableError } from "express-second-factor";
import { failureOf } from "../senders/stage.js";

export const MESSAGE = { requestId: "cmVxdWVzdC1pZA", origin: "https://acme.example" };

/** As whoever asks for a message does, and waits for as long as the signal says. */
export function send(
  channel: PushChannel,
  subscription: PushSubscriptionJson,
  signal = new AbortController().signal,
): Promise<unknown> {
  return channel.send(subscription, MESSAGE, { signal });
}

/** The provider said no: what it calls that is told, and nothing of whom it was for or who sent it. */
export async function expectRefused(
  sending: Promise<unknown>,
  reason: object,
  secrets: readonly string[],
): Promise<void> {
  const { error, words } = await failureOf(sending);
  expect(error).toMatchObject({ name: "DeliveryError", ...reason });
  expect((error as { gone?: unknown }).gone).toBe((reason as { gone?: unknown }).gone);
  expect(error.cause).toBeUndefined();
  expect(secrets.filter((secret) => words.includes(secret))).toEqual([]);
}

/** Nobody answered: what is counted has to stay counted. */
export async function expectUnanswered(sending: Promise<unknown>, secrets: readonly string[]): Promise<void> {
  const { error, words } = await failureOf(sending);
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error.cause).toBeUndefined();
  expect(secrets.filter((secret) => words.includes(secret))).toEqual([]);
}
