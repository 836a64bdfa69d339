import { UnavailableError } from "./errors.js";

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
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new UnavailableError(`${what} did not answer within ${timeout} ms`));
    }, timeout);
  });
  let answer: unknown;
  try {
    answer = await Promise.race([Promise.resolve().then(ask), late]);
  } catch (error) {
    throw error instanceof UnavailableError ? error : new UnavailableError(`${what} failed`, error);
  } finally {
    clearTimeout(timer);
  }
  if (!accepts(answer)) throw new UnavailableError(`${what} gave an answer of another shape than its contract`);
  return answer;
}
