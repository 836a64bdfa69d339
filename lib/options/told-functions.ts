import { isThenable } from "../core/within.js";
import type { EmitError } from "../events/emitter.js";
import type { ErrorPlace } from "../events/failures.js";
import { type Answers, telling, wanting } from "../events/telling.js";
import type { Method } from "../http/method.js";
import type { AppUser, PagesOptions } from "../http/settings.js";
import { messageProblems, messagesFor } from "../pages/messages.js";
import { isRecord } from "./checks.js";
import type { SecondFactorOptions, UserReaders } from "./options.js";

type Func = (...given: never[]) => unknown;

function isText(answer: unknown): boolean {
  return typeof answer === "string";
}

function isBoolean(answer: unknown): boolean {
  return typeof answer === "boolean";
}

const TEXT = wanting("text, at once", isText);
const TEXT_OR_NONE = wanting("text at once, or nothing", (answer) => isText(answer ?? ""));
const YES_OR_NO = wanting("true or false, at once", isBoolean);
const YES_OR_NO_IN_TIME: Answers = { ...wanting("true or false", isBoolean), isAsync: true };
const DOCUMENT: Answers = { ...wanting("an HTML document as text", isText), fails: true, isAsync: true };
const TIME: Answers = { ...wanting("milliseconds since the epoch", Number.isFinite), fails: true };
const USER: Answers = {
  ...wanting("a user, or undefined where there is none", (answer) => typeof (answer ?? {}) === "object"),
  isAsync: true,
};
/** Judged by whoever asks. Still a rejection is heard, of which nobody else would hear. */
const ANYTHING: Answers = { flawOf: () => undefined };

const READERS: Readonly<Record<keyof UserReaders<AppUser>, Answers>> = {
  id: ANYTHING,
  name: TEXT,
  email: TEXT_OR_NONE,
  emailVerified: YES_OR_NO,
  phone: TEXT_OR_NONE,
  locale: TEXT_OR_NONE,
  load: USER,
};

/** Words that were found right, or told of, are not looked at again: an application answers the same few objects. */
function wordsFor(methods: readonly Method[]): Answers {
  const base = messagesFor(new Map(methods.map(({ page, type }) => [type, page])));
  const seen = new WeakSet<object>();
  const { flawOf } = wanting(
    "an object of messages to replace, at once",
    (answer) => isRecord(answer) && !isThenable(answer),
  );
  return {
    flawOf(answer) {
      const flaw = flawOf(answer);
      if (flaw !== undefined || !isRecord(answer) || seen.has(answer)) return flaw;
      seen.add(answer);
      const problems = messageProblems(base, answer);
      return problems.length === 0 ? undefined : `answered what is no message: ${problems.join("; ")}`;
    },
  };
}

/**
 * The options with every function of the application's in them told of where it fails or answers what is no answer. `policy`
 * and `notify` are told of where they are asked: there is more to them than one function.
 */
export function toldOptions(
  options: SecondFactorOptions,
  methods: readonly Method[],
  emitError: EmitError,
): SecondFactorOptions {
  const told = <T>(place: ErrorPlace, given: T, answers: Answers): T => {
    if (typeof given !== "function") return given;
    const ask = given as unknown as Func;
    return telling<never[], unknown>(emitError, place, ask, answers) as T;
  };
  const toldPages = ({ lang, layout, messages, ...rest }: PagesOptions): PagesOptions => ({
    ...rest,
    ...(lang !== undefined && { lang: told("lang", lang, TEXT) }),
    ...(layout !== undefined && { layout: told("layout", layout, DOCUMENT) }),
    ...(messages !== undefined && { messages: told("messages", messages, wordsFor(methods)) }),
  });
  const toldReaders = (user: UserReaders<AppUser>): UserReaders<AppUser> => {
    const entries = Object.entries(user) as [keyof UserReaders<AppUser>, Func | undefined][];
    const given = entries.filter(([, reader]) => reader !== undefined);
    return Object.fromEntries(given.map(([name, reader]) => [name, told(`user.${name}`, reader, READERS[name])]));
  };
  const { clock, exempt, issuer, origin, pages, user, verifyPassword } = options;
  return {
    ...options,
    origin: told("origin", origin, ANYTHING),
    issuer: told("issuer", issuer, TEXT),
    ...(clock !== undefined && { clock: told("clock", clock, TIME) }),
    ...(exempt !== undefined && { exempt: told("exempt", exempt, YES_OR_NO) }),
    ...(verifyPassword !== undefined && {
      verifyPassword: told("verifyPassword", verifyPassword, YES_OR_NO_IN_TIME),
    }),
    ...(user !== undefined && { user: toldReaders(user) }),
    ...(typeof pages === "object" && { pages: toldPages(pages) }),
  };
}
