import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { built } from "../support/built.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "express-second-factor-"));
const PATIENCE = 240_000;

let tarball = "";

beforeAll(async () => {
  // npm would build again, and pull dist/ away from other tests.
  built();
  const [packed] = JSON.parse(
    await run(root, "npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work]),
  );
  tarball = join(work, packed.filename);
}, PATIENCE);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("the packed tarball", () => {
  test("publint finds nothing", async () => {
    await run(root, "node_modules/.bin/publint", ["run", tarball, "--strict"]);
  });

  test(
    "types and code agree in every module resolution, those without exports too",
    async () => {
      await run(root, "node_modules/.bin/attw", [tarball, "--no-emoji", "--no-color"]);
    },
    PATIENCE,
  );

  test("holds the build, the sources its maps name, and the papers, and no test", async () => {
    const names = (await run(work, "tar", ["--list", "--file", tarball])).trim().split("\n");
    const strangers = names.filter(
      (name) => !/^package\/(dist\/|lib\/|docs\/|[^/]+\.md$|LICENSE$|package\.json$)/.test(name),
    );
    expect(strangers).toEqual([]);
    expect(names.filter((name) => /dist.*\/browser\/page/.test(name))).toEqual([]);
    // What a stack trace names can be read.
    const scripts = names.filter((name) => name.endsWith(".js"));
    expect(names).toEqual(expect.arrayContaining(scripts.map((name) => `${name}.map`)));
    expect(names).toEqual(expect.arrayContaining(["package/lib/index.ts", "package/lib/stores/redis.ts"]));
    expect(names).toEqual(expect.arrayContaining(["package/LICENSE", "package/CHANGELOG.md", "package/SECURITY.md"]));
  });

  test("holds what its papers lead to", async () => {
    await run(work, "tar", ["--extract", "--file", tarball]);
    const folder = join(work, "package");
    const papers = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      /^[^/]+\.md$|^docs\/.*\.md$/.test(name),
    );
    const links = papers.flatMap((paper) => linksIn(join(folder, paper)).map((to) => ({ paper, to })));
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ paper, to }) => !existsSync(join(folder, dirname(paper), to)))).toEqual([]);
  });
});

describe("an application that installs the tarball", () => {
  test.each([
    ["an ES module with Express 5", "esm", ["express@5"], "main.mjs"],
    ["CommonJS with Express 5", "cjs", ["express@5"], "main.cjs"],
    ["CommonJS with Express 4 and Passport 0.6", "cjs", ["express@4", "passport@0.6"], "main.cjs"],
  ])(
    "protects its route: %s",
    async (_name, kind, packages, main) => {
      const folder = await install(kind, ...packages);
      expect(await run(folder, process.execPath, [main])).toContain("journey complete");
    },
    PATIENCE,
  );

  test(
    "is tested with Jest as Jest comes: CommonJS, where nothing can be imported later",
    async () => {
      const folder = await install("cjs", "express@5");
      const jest = join(root, "node_modules/jest/bin/jest.js");
      await run(folder, process.execPath, [jest, "--rootDir", folder, "--testMatch", "**/suite.cjs"]);
    },
    PATIENCE,
  );

  test(
    "knows the errors of every copy of the package by every other copy's classes",
    async () => {
      const folder = await install("esm", "express@5");
      expect(await run(folder, process.execPath, ["copies.mjs"])).toContain("copies agree");
    },
    PATIENCE,
  );

  test(
    "protects its route: strict TypeScript that checks library types too",
    async () => {
      const folder = await install("typescript", "express@5");
      const compile = (project: string) => run(folder, join(root, "node_modules/.bin/tsc"), ["--project", project]);
      await compile("tsconfig.json");
      // As most applications have it: strict and nothing beside it, which means other types for what is optional.
      await compile("tsconfig.strict.json");
      await compile("tsconfig.browser.json");
      // Nothing so far may have needed it.
      symlinkSync(join(root, "node_modules/kysely"), join(dirname(folder), "node_modules/kysely"));
      await compile("tsconfig.sql.json");
      // TypeScript 7 has no such resolution any more.
      await run(folder, process.execPath, [
        join(root, "node_modules/typescript/bin/tsc6"),
        "--project",
        "tsconfig.node10.json",
      ]);
      expect(await run(folder, process.execPath, ["out/main.js"])).toContain("journey complete");
    },
    PATIENCE,
  );
});

test(
  "a NestJS application logs in with the guards of docs/logins.md, and leaves none unfinished",
  async () => {
    const folder = await install("nest", "express@5");
    const paper = readFileSync(join(root, "docs/logins.md"), "utf8");
    for (const [, code = "", name = ""] of paper.matchAll(/^```typescript\n(\/\/ ([\w.]+\.ts)\n[^]*?)^```$/gm)) {
      writeFileSync(join(folder, name), code);
    }
    await run(folder, join(root, "node_modules/.bin/tsc"), ["--project", "tsconfig.json"]);
    const said = await run(folder, process.execPath, ["main.mjs"]);
    expect(said).toContain("journey complete");
    expect(said).toContain("guards finished");
  },
  PATIENCE,
);

const installed = new Map<string, Promise<string>>();
const consumers = new Map<string, Promise<string>>();

/** A consumer in a folder of its own, with the tarball and what it asked for installed; once for all tests of it. */
function install(kind: string, ...packages: string[]): Promise<string> {
  return once(consumers, [kind, ...packages].join(" "), () => installAnew(kind, packages));
}

function once(done: Map<string, Promise<string>>, name: string, make: () => Promise<string>): Promise<string> {
  const made = done.get(name) ?? make();
  done.set(name, made);
  return made;
}

async function installAnew(kind: string, packages: readonly string[]): Promise<string> {
  const source = join(root, "test/package/consumers", kind);
  const { dependencies } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  // Who asks for the same shares it: Node and TypeScript look in the folders above. No package of theirs lies beside another's.
  // Applications in JavaScript have the types too, as editors want them, so that they ask for what the one in TypeScript does.
  const above = await once(installed, JSON.stringify([dependencies, packages]), () =>
    installPackages({ private: true, dependencies }, packages),
  );
  const folder = join(above, kind);
  cpSync(source, folder, { recursive: true });
  cpSync(join(root, "test/package/consumers/journey.mjs"), join(folder, "journey.mjs"));
  return folder;
}

async function installPackages(manifest: object, packages: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(work, "application-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund"];
  await run(folder, "npm", ["install", "--prefix", folder, ...quiet, tarball, ...packages]);
  return folder;
}

/** The files that a paper leads to, beside it; addresses of the web are none of ours. */
function linksIn(paper: string): string[] {
  const links = readFileSync(paper, "utf8").matchAll(/\]\((?![a-z]+:)([^)#\s]+)/g);
  return [...links].map(([, to = ""]) => to);
}

/** What the program printed; a failure carries everything it said. */
async function run(cwd: string, command: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env: environment(), maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}

/** This environment without what `npm test` and Jest put there, which would lead npm back to this package. */
function environment(): NodeJS.ProcessEnv {
  const ours = /^(npm_(package|lifecycle|command|execpath|config_local_prefix)|INIT_CWD|NODE_ENV|NODE_OPTIONS|JEST_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
