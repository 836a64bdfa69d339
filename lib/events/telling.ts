import { ConfigurationError, UnavailableError } from "../core/errors.js";
import { placed, placeOf } from "../core/places.js";
import { kindOf } from "../core/user-ids.js";
import { isThenable } from "../core/within.js";
import type { Concerned, EmitError } from "./emitter.js";
import type { ErrorPlace } from "./failures.js";

/** What a function of the application's has to answer. What else it answers is told. */
export interface Answers {
  /** What is wrong with an answer, in words that hold nothing of it; undefined where nothing is. */
  readonly flawOf: (answer: unknown) => string | undefined;
  /** A promise is looked into; else it is an answer like any other. */
  readonly isAsync?: true;
  /** Nothing can be done with a wrong answer: it is thrown, too. */
  readonly fails?: true;
}

/** `wanted` in words: "text". */
export function wanting(wanted: string, accepts: (answer: unknown) => boolean): Answers {
  return {
    flawOf: (answer) => (accepts(answer) ? undefined : `answered ${described(answer)}; it has to answer ${wanted}`),
  };
}

function described(answer: unknown): string {
  return isThenable(answer) ? "a promise" : kindOf(answer);
}

interface RequestLike {
  readonly headers: Readonly<Record<string, unknown>>;
}

function isRequest(given: unknown): given is RequestLike {
  return typeof given === "object" && given !== null && "rawHeaders" in given && "headers" in given;
}

/** Whose request a function was asked about, where it was given one. */
function concernedBy(given: readonly unknown[]): Concerned {
  const requestId = given.find(isRequest)?.headers["x-request-id"];
  return typeof requestId === "string" ? { client: { requestId } } : {};
}

function asOurs(place: ErrorPlace, error: unknown): Error {
  const isOurs = error instanceof UnavailableError || error instanceof ConfigurationError;
  return placed(isOurs ? error : new UnavailableError(`${place} failed`, error), place);
}

/**
 * `ask`, a function of the application's or something that asks one, with whatever it throws or rejects with told, and every answer
 * that is none. It fails all the same, as an `UnavailableError` that names the place; a wrong answer is whoever asks to deal with.
 */
export function telling<Given extends readonly unknown[], Answer>(
  emitError: EmitError,
  place: ErrorPlace,
  ask: (...given: Given) => Answer,
  answers?: Answers,
): (...given: Given) => Answer {
  return (...given) => {
    const tell = (error: unknown): Error => {
      const ours = asOurs(place, error);
      emitError(place, ours, concernedBy(given));
      return ours;
    };
    const fail = (error: unknown): never => {
      // Told already, where a function of that place asks another.
      throw placeOf(error) === place ? error : tell(error);
    };
    const judged = <T>(answer: T): T => {
      const flaw = answers?.flawOf(answer);
      if (flaw === undefined) return answer;
      const error = tell(new UnavailableError(`${place} ${flaw}`));
      if (answers?.fails === true) throw error;
      return answer;
    };
    let answer: Answer;
    try {
      answer = ask(...given);
    } catch (error) {
      return fail(error);
    }
    if (!isThenable(answer)) return judged(answer);
    if (answers === undefined || answers.isAsync) return Promise.resolve(answer).catch(fail).then(judged) as Answer;
    // Nobody waits for it, and a rejection that nobody hears ends the process.
    Promise.resolve(answer).catch(tell);
    return judged(answer);
  };
}
