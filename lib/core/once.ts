/** What `make` makes, made when it is first asked for: what many processes never need, no import should pay for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
