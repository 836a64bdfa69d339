import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { createClient } from "redis";
import webPush from "web-push";
import { launchChromium } from "../support/chromium.js";
import { serviceAccount } from "../support/firebase.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { type RedisServer, startRedis } from "../support/redis.js";
import { Application } from "./application.js";
import { CompiledExamples, sourceOf } from "./compiled-examples.js";
import { documentedExamples, type Example } from "./documented-examples.js";
import { openPage } from "./example-page.js";
import { BROWSER_SCENES, SCENES } from "./example-scenes.js";
import { publicNames } from "./public-names.js";
import { run } from "./run-example.js";

jest.setTimeout(60_000);

const examples = documentedExamples();
const forBrowser = examples.filter((example) => sourceOf(example).isForBrowser);
const forServer = examples.filter((example) => !forBrowser.includes(example));

describe("the examples in docstrings, in README and in docs/", () => {
  let compiled: CompiledExamples;

  beforeAll(() => {
    compiled = new CompiledExamples(examples);
  });

  test("there is one for every public function, in its own docstring or, for members, in another", () => {
    const inDocstrings = examples.filter(({ of }) => of !== undefined);
    const shown = inDocstrings.map((example) => ({ of: example.of, uses: compiled.uses(example) }));
    const lacking = publicNames(compiled.program).filter(
      ({ name, symbol, isMember }) => !shown.some(({ of, uses }) => uses.has(symbol) && (isMember || of === name)),
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });

  test("all of them compile under strict TypeScript, against the types of the package", () => {
    expect(examples.flatMap((example) => compiled.problems(example))).toEqual([]);
  });

  test("what is expected of an example is expected of one that exists", () => {
    const titles = examples.map(({ title }) => title);
    expect(Object.keys({ ...SCENES, ...BROWSER_SCENES }).filter((title) => !titles.includes(title))).toEqual([]);
  });
});

describe("on the server, each example runs to its last line and does what it says", () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  const folder = mkdtempSync(join(tmpdir(), "examples-"));

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    // Any that is free.
    process.env["PORT"] = "0";
    process.env["REDIS_URL"] = redis.url;
    // The AWS SDK warns of what Node its next year's releases need.
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
    const vapid = webPush.generateVAPIDKeys();
    Object.assign(process.env, { VAPID_PUBLIC_KEY: vapid.publicKey, VAPID_PRIVATE_KEY: vapid.privateKey });
    process.env["FIREBASE_SERVICE_ACCOUNT"] = JSON.stringify(serviceAccount());
    process.env["SECOND_FACTOR_KEYS"] = `2026-11:${randomBytes(32).toString("base64")}`;
    process.env["AUDIT_FILE"] = join(folder, "audit.jsonl");
    process.env["SECOND_FACTOR_AUDIT_KEY"] = `audit:${randomBytes(32).toString("base64")}`;
  });

  afterAll(async () => {
    delete process.env["AUDIT_FILE"];
    delete process.env["SECOND_FACTOR_AUDIT_KEY"];
    rmSync(folder, { recursive: true, force: true });
    delete process.env["SECOND_FACTOR_KEYS"];
    delete process.env["FIREBASE_SERVICE_ACCOUNT"];
    delete process.env["VAPID_PUBLIC_KEY"];
    delete process.env["VAPID_PRIVATE_KEY"];
    delete process.env["PORT"];
    delete process.env["REDIS_URL"];
    await Promise.all([redis.kill(), postgres.remove()]);
  });

  // Each has keys of its own, and users of the same names.
  beforeEach(() => emptied(redis));

  test.each(titled(forServer))("%s", async (title, example) => {
    const application = new Application(example.code, { connectionString: postgres.url, redisUrl: redis.url });
    let made: Readonly<Record<string, unknown>> = {};
    try {
      await application.begin();
      made = await run(example, application.names);
      application.finish();
      await SCENES[title]?.(application, made);
    } finally {
      await end(application, made);
    }
  });
});

describe("in a browser, each example runs to its last line and does what it says", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser.close());

  test.each(titled(forBrowser))("%s", async (title, example) => {
    const visit = await openPage(browser);
    try {
      const { before, after } = BROWSER_SCENES[title] ?? {};
      await before?.(visit);
      const made = await visit.run(example);
      await after?.(visit, made);
    } finally {
      await visit.close();
    }
  });
});

function titled(all: readonly Example[]): [string, Example][] {
  return all.map((example) => [example.title, example]);
}

async function emptied({ url }: RedisServer): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  await client.flushAll();
  client.destroy();
}

/** Ends what the example began: connections have a `destroy`, servers a `close`. */
async function end(application: Application, made: Readonly<Record<string, unknown>>): Promise<void> {
  for (const value of Object.values(made)) {
    const { destroy } = Object(value) as { destroy?: unknown };
    if (value instanceof Server) value.close();
    else if (typeof destroy === "function") await destroy.call(value);
  }
  await application.close();
}
