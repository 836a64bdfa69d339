const AT_ONCE = 25;

/** What comes one by one, so many at once: one that is slow holds up few others. Never all of them, which may be very many. */
export async function* batches<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
