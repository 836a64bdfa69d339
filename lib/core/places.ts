/** Where an error comes from, for whoever tells of it in the end: an error object says only what is wrong. */
const places = new WeakMap<object, string>();

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** The error itself, its place noted. What was noted nearer to the cause stays. */
export function placed<T>(error: T, place: string): T {
  if (isObject(error) && !places.has(error)) places.set(error, place);
  return error;
}

export function placeOf(error: unknown): string | undefined {
  return isObject(error) ? places.get(error) : undefined;
}
