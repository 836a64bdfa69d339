// Where accounts, sessions and second factors are kept: in a file, or on the server that the environment names.
import { join } from "node:path";

/**
 * @typedef {object} Storage
 * @property {string} name as the pages say it
 * @property {import("express-second-factor").Store} store for `secondFactor()`; the attempt limits count there too
 * @property {import("express-session").Store} sessions
 * @property {import("./users.js").UserRecords} users
 * @property {() => Promise<void>} close
 */

// Each is loaded when it is chosen, so that nothing is needed for the others.
/** @type {Record<string, (url: string) => Promise<Storage>>} */
const OPEN_BY_SETTING = {
  REDIS_URL: async (url) => (await import("./storage/redis.js")).openRedis(url),
  DATABASE_URL: async (url) => (await import("./storage/postgres.js")).openPostgres(url),
};

/** @returns {Promise<Storage>} */
async function openFileIn(folder) {
  return (await import("./storage/file.js")).openFile(join(folder, "demo.db"));
}

/**
 * Opens what the environment names, else a database file in the folder, which needs no server.
 *
 * @param {Record<string, string | undefined>} environment
 * @param {string} folder
 * @returns {Promise<Storage>}
 */
export async function openStorage(environment, folder) {
  const [setting, ...others] = Object.keys(OPEN_BY_SETTING).filter((name) => environment[name]);
  if (others.length > 0) throw new Error(`set ${setting} or ${others.join()}, not both`);
  return setting ? OPEN_BY_SETTING[setting](environment[setting]) : openFileIn(folder);
}
