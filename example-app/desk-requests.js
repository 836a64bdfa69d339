// What operators have asked for and another has to approve. The library does it once, by its id, for 15 minutes; it lists nothing, so the
// list is the application's. Yours is a table; here it is a folder of files, which every process of the demonstration sees.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * @typedef {object} DeskRequest
 * @property {string} id as `NotDoneError` names it
 * @property {"reset" | "pass"} operation
 * @property {string} userId
 * @property {string} email
 * @property {string} actor who asked
 * @property {string} reason
 * @property {string} expiresAt ISO 8601
 */

/** @param {string} folder */
function files(folder) {
  const place = (id) => join(folder, `${id}.json`);
  return {
    async set(id, request) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(place(id), JSON.stringify(request), { mode: 0o600 });
    },
    delete: (id) => rm(place(id), { force: true }),
    async values() {
      const names = await readdir(folder).catch(() => []);
      // One that another process has just removed, or not yet written whole, is not there.
      const read = async (name) => [JSON.parse(await readFile(join(folder, name), "utf8"))];
      return (await Promise.all(names.map((name) => read(name).catch(() => [])))).flat();
    },
  };
}

export class DeskRequests {
  #kept;
  #clock;

  /** @param {{ folder?: string, clock?: () => number }} options without a folder in memory */
  constructor({ folder, clock = Date.now } = {}) {
    this.#kept = folder === undefined ? new Map() : files(folder);
    this.#clock = clock;
  }

  /** @param {DeskRequest} request */
  async add(request) {
    await this.#kept.set(request.id, request);
  }

  /** @param {DeskRequest} request */
  async remove({ id }) {
    await this.#kept.delete(id);
  }

  /** Those that can still be approved, oldest first. @returns {Promise<DeskRequest[]>} */
  async open() {
    const all = [...(await this.#kept.values())];
    const isOver = ({ expiresAt }) => Date.parse(expiresAt) <= this.#clock();
    await Promise.all(all.filter(isOver).map((request) => this.remove(request)));
    return all.filter((request) => !isOver(request)).sort((one, other) => one.expiresAt.localeCompare(other.expiresAt));
  }
}
