import { SECOND } from "../core/nouns.js";
import { type Taken, takerProblems, takerWanted } from "../core/takers.js";
import { milliseconds } from "../policy/durations.js";

const LONGEST = 30 * SECOND;

/** What is wrong with how long somebody is waited for who sends. `where`: `emailCode: `. */
export function timeoutProblems(timeout: unknown, where: string): string[] {
  const length = timeout === undefined ? 1 : milliseconds(timeout);
  const isRight = length !== undefined && length <= LONGEST;
  return isRight ? [] : [`${where}timeout: write a time up to 30 seconds, such as "10s"`];
}

/** What is wrong with the options of a method that sends, each with its mend. `where`: `emailCode: `. */
export function senderProblems(options: unknown, taken: Taken, where: string): string[] {
  const { send, timeout } = (options ?? {}) as { readonly send?: unknown; readonly timeout?: unknown };
  return [
    ...(typeof send === "function"
      ? takerProblems(send, taken, `${where}send: `)
      : [`${where}send: required: ${takerWanted(taken)}; while developing: consoleSender()`]),
    ...timeoutProblems(timeout, where),
  ];
}
