import { ConfigurationError, UnavailableError } from "../core/errors.js";
import type { Concerned, EmitError } from "./emitter.js";
import type { ErrorPlace } from "./failures.js";

function asOurs(place: ErrorPlace, error: unknown): Error {
  if (error instanceof UnavailableError || error instanceof ConfigurationError) return error;
  return new UnavailableError(`${place} failed`, error);
}

/**
 * `ask`, a function of the application's or something that asks one, with whatever it throws or rejects with told. It fails all the
 * same, as an `UnavailableError` that names the place.
 */
export function telling<Given extends readonly unknown[], Answer>(
  emitError: EmitError,
  place: ErrorPlace,
  ask: (...given: Given) => Answer,
  whose: (given: readonly unknown[]) => Concerned = () => ({}),
): (...given: Given) => Answer {
  return (...given) => {
    const fail = (error: unknown): never => {
      const ours = asOurs(place, error);
      emitError(place, ours, whose(given));
      throw ours;
    };
    try {
      const answer = ask(...given);
      return answer instanceof Promise ? (answer.catch(fail) as Answer) : answer;
    } catch (error) {
      return fail(error);
    }
  };
}
