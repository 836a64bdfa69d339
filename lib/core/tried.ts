/** What `ask` answers; undefined where it throws: what is only told, or asked on the way to a refusal, may be what has failed. */
export function tried<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
