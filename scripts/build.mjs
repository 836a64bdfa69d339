// @ts-check
// Builds the package: lib/ compiled once as ES modules and once as CommonJS, types beside each. The part for browsers is
// compiled apart, because only it may know the DOM.
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { embedAssets } from "./embed-assets.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

const COMMON_JS = ["--outDir", "dist/cjs", "--module", "commonjs", "--moduleResolution", "bundler"];

/** @param {string} project @param {string[]} [options] */
async function compile(project, options = []) {
  try {
    await run("node_modules/.bin/tsc", ["--project", project, ...options], { cwd: root });
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout?: string; stderr?: string }} */ (error);
    throw new Error(`${project} does not compile\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

try {
  await rm(`${root}/dist`, { recursive: true, force: true });
  await embedAssets();
  await Promise.all([compile("tsconfig.build.json"), compile("tsconfig.cjs.json")]);
  await compile("tsconfig.browser.json");
  await compile("tsconfig.browser.json", [...COMMON_JS, "--verbatimModuleSyntax", "false"]);
  await mkdir(`${root}/dist/cjs`, { recursive: true });
  await writeFile(`${root}/dist/cjs/package.json`, '{ "type": "commonjs" }\n');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
