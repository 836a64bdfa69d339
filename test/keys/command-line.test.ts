import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { secondFactor } from "express-second-factor";
import { createTables, sqlStore } from "express-second-factor/sql";
import { built } from "../support/built.js";
import { runCommand } from "../support/command.js";
import { openSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "command-line-"));
const database = join(folder, "accounts.db");
const [OLD, NEW] = ["2025-01", "2026-11"].map((id) => `${id}:${randomBytes(32).toString("base64")}`) as [
  string,
  string,
];
const SECRET = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ";

/** What an application has in a module of its own: the keys come from the environment, the accounts from a file. */
function applicationModule(): string {
  const require = createRequire(import.meta.url);
  return `
    import { createRequire } from "node:module";
    import { secondFactor } from ${JSON.stringify(built("esm/index.js"))};
    import { sqlStore } from ${JSON.stringify(built("esm/sql/index.js"))};
    const require = createRequire(import.meta.url);
    const { Kysely, SqliteDialect } = require(${JSON.stringify(require.resolve("kysely"))});
    const Database = require(${JSON.stringify(require.resolve("libsql"))});
    const db = new Kysely({ dialect: new SqliteDialect({ database: new Database(${JSON.stringify(database)}) }) });
    const { SECOND_FACTOR_KEYS: keys } = process.env;
    export const mfa = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", keys, store: sqlStore(db) });
    export const empty = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", keys, store: sqlStore(db, { table: "none" }) });
    // The application goes on: the command must end all the same.
    setInterval(() => undefined, 1_000);
  `;
}

function run(args: readonly string[], keys = OLD): ReturnType<typeof runCommand> {
  return runCommand(args, { cwd: folder, env: { SECOND_FACTOR_KEYS: keys } });
}

beforeAll(async () => {
  const db = openSqlite(database);
  await createTables(db);
  const mfa = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", keys: OLD, store: sqlStore(db) });
  for (let user = 0; user < 60; user += 1) await mfa.accounts.importTotp(`user-${user}`, { secret: SECRET });
  await db.destroy();
  writeFileSync(join(folder, "security.mjs"), applicationModule());
  writeFileSync(join(folder, "tableless.mjs"), 'export { empty as mfa } from "./security.mjs";');
  writeFileSync(join(folder, "other.mjs"), "export const somethingElse = 1;");
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("on the command line", () => {
  test("an old key is rotated out: asked for, rotated, and not asked for any more", async () => {
    expect(await run(["check", "security.mjs"])).toMatchObject({ code: 0, stderr: "" });
    const missing = await run(["check", "security.mjs"], NEW);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/"2025-01"/);

    const early = await run(["rotate-keys", "security.mjs"], NEW);
    expect(early).toMatchObject({ code: 1, stderr: "" });
    expect(early.stdout).toMatch(/60 accounts still need the key "2025-01"/);

    const rotated = await run(["rotate-keys", "security.mjs"], `${NEW},${OLD}`);
    expect(rotated).toMatchObject({ code: 0, stderr: "" });
    expect(rotated.stdout).toMatch(/^25 accounts looked at, 25 sealed anew\n50 .*\n60 .*\nDone: 60 .* 60 sealed anew/);
    expect(await run(["check", "security.mjs"], NEW)).toMatchObject({ code: 0, stderr: "" });
  });

  test("a new key is one the keys option takes", async () => {
    const { stdout } = await run(["new-key", "2027-01"]);
    expect(stdout).toMatch(/^2027-01:[A-Za-z0-9+/]{43}=\n$/);
    expect(await run(["check", "security.mjs"], `${stdout.trim()},${NEW},${OLD}`)).toMatchObject({ code: 0 });
  });

  test("a store that fails is told with its reasons, and a table that is missing with its mend", async () => {
    const { code, stderr } = await run(["check", "tableless.mjs"]);
    const [what, ...why] = stderr.trim().split("\n");
    expect([code, what]).toEqual([1, "The store failed"]);
    expect(why).toEqual([
      expect.stringMatching(/^ {2}because: There is no table "none": run createTables\(db\)/),
      expect.stringMatching(/^ {2}because: .*no such table: none/),
    ]);
  });

  test("asked for help, or for its version, it answers on standard output", async () => {
    const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
    for (const name of ["--help", "-h", "help"]) {
      const { code, stderr, stdout } = await run([name]);
      expect([name, code, stderr, stdout]).toEqual([name, 0, "", expect.stringMatching(/^Usage:\n.* new-key \[id\]/)]);
    }
    for (const name of ["--version", "-v"])
      expect([name, await run([name])]).toEqual([name, { code: 0, stdout: `${version}\n`, stderr: "" }]);
  });

  test("what it does not understand is answered with what to do", async () => {
    const wrong: [args: string[], code: number, stderr: RegExp][] = [
      [[], 2, /^Usage:/],
      [["toString"], 2, /^"toString" is no command\nUsage:/],
      [["new-kye"], 2, /^"new-kye" is no command; did you mean "new-key"\?\nUsage:/],
      [["rotate"], 2, /^"rotate" is no command/],
      [["--hlep"], 2, /did you mean "--help"/],
      [["__proto__"], 2, /^"__proto__" is no command/],
      [["new-key", "a", "b"], 2, /^new-key: too many arguments\nUsage:/],
      [["--version", "a"], 2, /^--version: too many arguments/],
      [["check"], 2, /^Name the module/],
      [["check", "nowhere.mjs"], 1, /nowhere\.mjs/],
      [["rotate-keys", "other.mjs"], 1, /^other\.mjs exports nothing/],
    ];
    const ended = await Promise.all(wrong.map(([args]) => run(args)));
    for (const [index, [args, code, stderr]] of wrong.entries()) {
      expect([args, ended[index]]).toEqual([args, { code, stdout: "", stderr: expect.stringMatching(stderr) }]);
    }
  });
});
