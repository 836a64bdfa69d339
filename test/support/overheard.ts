import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, jest } from "@jest/globals";

/** What a test prints and publishes while it runs. */
export interface Overheard {
  /** Written to the terminal, piece by piece. */
  printed: string[];
  /** What `node:diagnostics_channel` carried. */
  published: unknown[];
}

/**
 * Hears everything that is printed or published in each test of the file, and lets none of it out. `console`, too, which does not write
 * to the terminal itself under a test runner.
 */
export function overhear(): Overheard {
  const overheard: Overheard = { printed: [], published: [] };
  const publish = (message: unknown): void => void overheard.published.push(message);
  const print = (text: string): void => void overheard.printed.push(text);
  beforeEach(() => {
    Object.assign(overheard, { printed: [], published: [] });
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, "write").mockImplementation((chunk) => {
        print(String(chunk));
        return true;
      });
    }
    for (const method of ["debug", "error", "info", "log", "warn"] as const) {
      jest.spyOn(console, method).mockImplementation((...parts) => {
        print(parts.map(String).join(" "));
      });
    }
    subscribe("express-second-factor", publish);
  });
  afterEach(() => {
    unsubscribe("express-second-factor", publish);
    jest.restoreAllMocks();
  });
  return overheard;
}
