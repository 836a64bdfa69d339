// Every entry point, in either module format, carries this file, so what a function is for is written on the function itself.

/** What somebody takes over: a mail with a code, a text with one, what an owner should hear of. */
export type Taken = "mail" | "text" | "notice";

const TAKES = Symbol.for("express-second-factor.takes");
const CALL = Symbol.for("express-second-factor.call");

/** `whole`: what is taken; `such`: who takes it. */
const WORDS: Readonly<Record<Taken, { readonly whole: string; readonly such: string }>> = {
  mail: { whole: "mails with codes", such: "mailSender({ transport, from }) of express-second-factor/mail" },
  text: { whole: "text messages", such: "twilioSender({ client, from }) of express-second-factor/twilio" },
  notice: { whole: "notices", such: "emailNotices({ transport, from }) of express-second-factor/mail" },
};

function written<Of extends object>(on: Of, name: symbol, value: unknown): Of {
  return Object.defineProperty(on, name, { value });
}

function readFrom(value: unknown, name: symbol): unknown {
  return typeof value === "function" ? (value as unknown as Readonly<Record<symbol, unknown>>)[name] : undefined;
}

/** A function that takes these over, and nothing else. */
export function taker<Func extends object>(taken: readonly Taken[], take: Func): Func {
  return written(take, TAKES, taken);
}

/** A function that answers takers, and is none itself. `call`: how it is called. */
export function makesTakers(make: object, call: string): void {
  written(make, CALL, call);
}

/**
 * Why these are not taken over by what an option was given; nothing where that is a function of the application's own, or there is none.
 * `where`: `emailCode: send: `.
 */
export function takerProblems(given: unknown, taken: Taken, where: string): string[] {
  const call = readFrom(given, CALL);
  if (typeof call === "string") return [`${where}call it: ${call}`];
  const takes = readFrom(given, TAKES);
  if (!Array.isArray(takes) || takes.includes(taken)) return [];
  const { such, whole } = WORDS[taken];
  const others = (takes as Taken[]).map((each) => WORDS[each].whole).join(" and ");
  return [`${where}this one takes ${others}; what is needed takes ${whole}, such as ${such}`];
}

/** What to give where there is nothing. */
export function takerWanted(taken: Taken): string {
  const { such, whole } = WORDS[taken];
  return `a function that takes ${whole} over, such as ${such}`;
}
