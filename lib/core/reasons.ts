import { UnavailableError } from "./errors.js";

/** What an error says of itself: where that is nothing, as where several addresses were tried, what is in it does. */
export function reasonIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonIn).join(", ");
  return typeof code === "string" ? code : error.name;
}

/** The same failure with its reason in the message, for whoever prints no more than that. */
export function withReason(error: unknown): unknown {
  if (!(error instanceof UnavailableError) || error.cause === undefined) return error;
  return new UnavailableError(`${error.message}: ${reasonIn(error.cause)}`, error.cause);
}
