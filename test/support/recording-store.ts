import { memoryStore, type MemoryStore } from "express-second-factor";

/** The memory store, and every value that was ever written into it. */
export interface RecordingStore extends MemoryStore {
  readonly written: readonly string[];
}

export function recordingStore(): RecordingStore {
  const inner = memoryStore();
  const written: string[] = [];
  return {
    memory: inner.memory,
    written,
    read: (key) => inner.read(key),
    write(key, value, options) {
      written.push(`${key} ${value}`);
      return inner.write(key, value, options);
    },
    remove: (key, options) => inner.remove(key, options),
    attempts(name, windowMs, clock) {
      const counters = inner.attempts(name, windowMs, clock);
      return {
        ...counters,
        increment(key) {
          written.push(`${name} ${key}`);
          return counters.increment(key);
        },
      };
    },
    useClock: (clock) => inner.useClock?.(clock),
  };
}
