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
    useClock: (clock) => inner.useClock?.(clock),
  };
}
