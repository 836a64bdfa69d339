// The time of the demonstration: the machine's, and as far ahead of it as somebody has moved it on the outbox page. A wait of a day can be
// tried in a minute so. A real application has no such thing: it leaves the option `clock` out.
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";

const HOUR = 3_600_000;

/** How far it can be moved at once, in milliseconds. */
export const MOVES = { "+1 hour": HOUR, "+12 hours": 12 * HOUR, "+1 day": 24 * HOUR, "+3 days": 72 * HOUR };

/**
 * It is kept in the folder, for every process and the next start: data from a time that has not come yet would be worse than none. It
 * moves forward only, and what lives by another clock does not move with it: the cookies of browsers, and authenticator apps.
 *
 * @param {string} folder
 */
export function demoClock(folder) {
  const file = join(folder, "clock");
  let ahead = 0;
  return Object.assign(() => Date.now() + ahead, {
    /** As far as another process has moved it. */
    async read() {
      const moves = await readFile(file, "utf8").catch((error) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      ahead = moves.split("\n").reduce((sum, move) => sum + Number(move), 0);
    },
    /** @param {number} milliseconds */
    async advance(milliseconds) {
      // A line for each move: of two at the same moment both count, and nobody reads half a number.
      await appendFile(file, `${milliseconds}\n`, { mode: 0o600 });
      await this.read();
    },
  });
}
