import { expect } from "@jest/globals";
import { type CodeMessage, type EmailCodeMessage, UnavailableError } from "express-second-factor";

export const CODE = "492817";
export const NUMBER = "+4915112345678";
export const ADDRESS = "ann@acme.test";

export function mailTo(address: unknown, more: Partial<EmailCodeMessage> = {}): EmailCodeMessage {
  return {
    to: { address } as { address: string },
    code: CODE,
    subject: "Sign in to Acme",
    text: `Your code is ${CODE}. Never pass it on.`,
    html: `<p>Your code is <b>${CODE}</b></p>`,
    purpose: "login" as const,
    locale: "en",
    expiresAt: "2026-11-21T12:05:00.000Z",
    ...more,
  };
}

export function textTo(to: unknown): CodeMessage<string> {
  const text = `${CODE} is your code. Never pass it on.\n\n@acme.test #${CODE}`;
  const { html: _html, subject: _subject, ...code } = mailTo("");
  return { ...code, to: to as string, text };
}

/** What a sender rejected with, and every word anybody can print of it. */
export async function failureOf(sending: Promise<unknown>): Promise<{ error: Error; words: string }> {
  const error: unknown = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error(`It did not fail, or not with an error: ${String(error)}`);
  const members = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
  return { error, words: [String(error), JSON.stringify(error), ...members].join("\n") };
}

/** The provider said no: what it calls it is told, and nothing that was sent. */
export async function expectRefused(sending: Promise<unknown>, reason: object): Promise<void> {
  const { error, words } = await failureOf(sending);
  expect(error).toMatchObject({ name: "DeliveryError", ...reason });
  expect(error.cause).toBeUndefined();
  expectSilentOn(words);
}

/** Nobody answered: what is counted has to stay counted. */
export async function expectUnanswered(sending: Promise<unknown>): Promise<void> {
  const { error, words } = await failureOf(sending);
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error.cause).toBeUndefined();
  expectSilentOn(words);
}

function expectSilentOn(words: string): void {
  expect([CODE, NUMBER, NUMBER.slice(1), ADDRESS].filter((secret) => words.includes(secret))).toEqual([]);
}

export function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    return (error as { problems?: readonly string[] }).problems ?? [String(error)];
  }
  return [];
}
