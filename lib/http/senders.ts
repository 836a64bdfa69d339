import { SECOND } from "../core/nouns.js";
import { milliseconds } from "../policy/durations.js";

const LONGEST = 30 * SECOND;

/** What is wrong with the options of a method that sends, each with its mend. `where`: `emailCode: `. */
export function senderProblems(options: unknown, where: string): string[] {
  const { send, timeout } = (options ?? {}) as { readonly send?: unknown; readonly timeout?: unknown };
  const length = timeout === undefined ? 1 : milliseconds(timeout);
  return [
    ...(typeof send === "function" ? [] : [`${where}send: required: a function that takes a message over`]),
    ...(length !== undefined && length <= LONGEST
      ? []
      : [`${where}timeout: write a time up to 30 seconds, such as "10s"`]),
  ];
}
