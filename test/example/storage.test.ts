import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { freePort } from "../support/programs.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { type RedisServer, startRedis } from "../support/redis.js";
import { endAll, nextCode, Person, start } from "./stage.js";

// Many processes start here, and a busy machine takes its time.
jest.setTimeout(60_000);

const EMAIL = "ada@example.com";

let redis: RedisServer;
let postgres: PostgresServer;
let folder = "";

beforeAll(async () => {
  [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
}, 120_000);

afterAll(async () => {
  await Promise.all([redis.kill(), postgres.remove()]);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "example-"));
});

afterEach(async () => {
  await endAll();
  await rm(folder, { recursive: true, force: true });
});

/** What the README sets for each; with nothing set, everything is in the folder. */
const SETTINGS: Readonly<Record<string, () => Record<string, string>>> = {
  "a file": () => ({}),
  Redis: () => ({ REDIS_URL: redis.url }),
  PostgreSQL: () => ({ DATABASE_URL: postgres.url }),
};

test.each(Object.keys(SETTINGS))(
  "in %s, accounts and sessions outlast a restart, and two processes behind the balancer are one application",
  async (name) => {
    const settings = { ...SETTINGS[name]!(), DATA_FOLDER: folder, PORT: String(await freePort()) };
    const alone = start("server.js", settings);
    const address = await alone.address();
    const before = new Person(address, EMAIL);
    await before.register();
    const phone = await before.enroll();
    expect([await alone.stop(), alone.complaints()]).toEqual([0, ""]);

    const balanced = start("balanced.js", settings);
    expect(await balanced.address()).toBe(address);
    expect(await before.isIn()).toBe(true);
    const [after, elsewhere] = [new Person(address, EMAIL), new Person(address, EMAIL)];
    expect([(await after.logIn()).status, (await elsewhere.logIn()).status]).toEqual([401, 401]);
    const code = nextCode(phone);
    const used = await after.verify(code);
    const again = await elsewhere.verify(code);
    expect([used.status, again.status, again.body.code]).toEqual([200, 401, "invalid-code"]);

    // The requests go to the two in turn.
    expect(again.headers["x-served-by"]).not.toBe(used.headers["x-served-by"]);
    expect([await after.isIn(), await after.isIn()]).toEqual([true, true]);
    expect([await elsewhere.isIn(), await elsewhere.isIn()]).toEqual([false, false]);
    await before.receiveAt({ phone: "+4915123456789" });
    const outboxes = [await before.outbox(), await before.outbox()];
    expect(outboxes.filter((text) => text.includes("To +4915123456789"))).toHaveLength(2);
    expect([await balanced.stop(), balanced.complaints()]).toEqual([0, ""]);
  },
);
