import { UnavailableError } from "./errors.js";

export function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";
}

/**
 * A timer each: over 100,000 calls, setTimeout and clearTimeout take 0.1 to 0.3 µs of processor time a call, whether the answer is
 * there already or comes later; one timer shared by all that wait, with a list of them, took 0.2 to 2 µs.
 *
 * After a process stood still (a suspended machine, a long collection) its timers run before what has arrived is read. So the limit
 * has two parts, with time to read between them, and at its end one turn more: nobody else is blamed for the pause.
 */
function inTime(answer: PromiseLike<unknown>, what: string, timeout: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(new UnavailableError(`${what} did not answer within ${timeout} ms`));
    };
    const last = timeout / 4;
    let timer = setTimeout(() => {
      timer = setTimeout(() => setImmediate(giveUp), last);
    }, timeout - last);
    const take = (given: unknown): void => {
      clearTimeout(timer);
      resolve(given);
    };
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    Promise.resolve(answer).then(take, fail);
  });
}

/**
 * Waits for one answer, never longer than `timeout` ms, and believes it only if it has the promised shape.
 * Everything else (a throw, a rejection, silence, another shape) becomes an {@link UnavailableError}.
 */
export async function within<T>(
  what: string,
  timeout: number,
  ask: () => unknown,
  accepts: (answer: unknown) => answer is T,
): Promise<T> {
  let answer: unknown;
  try {
    const asked = ask();
    answer = isThenable(asked) ? await inTime(asked, what, timeout) : asked;
  } catch (error) {
    // A rejection without a word is an answer all the same, and no silence.
    throw error instanceof UnavailableError
      ? error
      : new UnavailableError(`${what} failed`, error ?? new Error("No reason"));
  }
  if (accepts(answer)) return answer;
  throw new UnavailableError(`${what} gave an answer of another shape than its contract`);
}

/** For answers of which nothing is used but that they came. */
export function isAnything(_answer: unknown): _answer is unknown {
  return true;
}
