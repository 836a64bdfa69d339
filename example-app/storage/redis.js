// Everything in one Redis. Enrollments are data and not a cache: give it `appendonly yes` and `maxmemory-policy noeviction`.
import { RedisStore } from "connect-redis";
import { redisStore } from "express-second-factor/redis";
import { createClient } from "redis";

const [USERS, EMAILS, SESSIONS] = ["demo:users", "demo:emails", "demo:session:"];

/** User records by id, and ids by address. */
class RedisUsers {
  #client;

  constructor(client) {
    this.#client = client;
  }

  async add(user) {
    if (!(await this.#client.hSetNX(USERS, user.id, JSON.stringify(user)))) return false;
    // Of those who want the address at the same moment, one gets it.
    if (await this.#client.hSetNX(EMAILS, user.email, user.id)) return true;
    await this.#client.hDel(USERS, user.id);
    return false;
  }

  async withEmail(email) {
    const id = await this.#client.hGet(EMAILS, email);
    return id ? this.withId(id) : undefined;
  }

  async withId(id) {
    const user = await this.#client.hGet(USERS, id);
    return user ? JSON.parse(user) : undefined;
  }
}

/** A client that answers or fails within about two seconds, whatever the server does, and comes back when the server does. */
function impatientClient(url) {
  let wasConnected = false;
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandOptions: { timeout: 2_000 },
    // The time-out of a command covers the wait until it is sent. A server that then says nothing is noticed by the
    // socket's time-out, from which the ping keeps one that is only idle.
    pingInterval: 1_000,
    socket: {
      connectTimeout: 2_000,
      socketTimeout: 2_000,
      // The default gives up for good after a socket's time-out. At start there is nothing to come back to.
      reconnectStrategy: (retries, cause) => (wasConnected ? Math.min(50 * 2 ** retries, 2_000) : cause),
    },
  });
  client.on("ready", () => (wasConnected = true));
  // Unheard, an error ends the process.
  client.on("error", (error) => wasConnected && console.error(`Redis: ${error.message}`));
  return client;
}

/** @param {string} url @returns {Promise<import("../storage.js").Storage>} */
export async function openRedis(url) {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error("REDIS_URL must look like redis://127.0.0.1:6379");
  }
  const client = impatientClient(url);
  await client.connect().catch((error) => {
    throw new Error(`Redis at ${new URL(url).host}: ${error.message || error.code}`);
  });
  return {
    name: "Redis",
    store: redisStore(client),
    sessions: new RedisStore({ client, prefix: SESSIONS }),
    users: new RedisUsers(client),
    close: async () => client.close(),
  };
}
