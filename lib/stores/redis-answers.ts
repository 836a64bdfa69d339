import { LINGER } from "./linger.js";

/** Milliseconds after which the server may drop what expires at `expiresAt`. */
export function timeToLive(expiresAt: number, now: number): string {
  return String(Math.max(0, Math.ceil(expiresAt - now)) + LINGER);
}

/** @throws always: what is no answer of this store is a failure */
export function nonsense(what: string): never {
  throw new Error(`Redis holds, or answered, something that is no ${what} of this store`);
}

export function answersOf(answer: unknown, what: string): readonly unknown[] {
  return Array.isArray(answer) ? answer : nonsense(what);
}

/** Clients answer an integer as a number or, where they are told to, as text. NaN for anything else. */
export function numberOf(answer: unknown): number {
  return typeof answer === "number" || (typeof answer === "string" && answer !== "") ? Number(answer) : NaN;
}
