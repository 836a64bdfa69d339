import { deadline } from "./deadlines.js";
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
  return new Promise<T>((resolve, reject) => {
    const end = deadline(timeout, () => {
      reject(new UnavailableError(`${what} did not answer within ${timeout} ms`));
    });
    const fail = (error: unknown): void => {
      end();
      reject(error instanceof UnavailableError ? error : new UnavailableError(`${what} failed`, error));
    };
    const take = (answer: unknown): void => {
      end();
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
