import { UnavailableError } from "./errors.js";

/**
 * Waits for one answer, never longer than `timeout` ms, and believes it only if it has the promised shape.
 * Everything else (a throw, a rejection, silence, another shape) becomes an {@link UnavailableError}.
 */
export function within<T>(
  what: string,
  timeout: number,
  ask: () => unknown,
  accepts: (answer: unknown) => answer is T,
): Promise<T> {
  // One promise and one timer: every request of everybody who is signed in passes here.
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new UnavailableError(`${what} did not answer within ${timeout} ms`));
    }, timeout);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(error instanceof UnavailableError ? error : new UnavailableError(`${what} failed`, error));
    };
    const take = (answer: unknown): void => {
      clearTimeout(timer);
      if (accepts(answer)) resolve(answer);
      else reject(new UnavailableError(`${what} gave an answer of another shape than its contract`));
    };
    try {
      Promise.resolve(ask()).then(take, fail);
    } catch (error) {
      fail(error);
    }
  });
}
