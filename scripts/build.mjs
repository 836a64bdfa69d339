// @ts-check
// Builds the package into dist/. For each entry point that package.json names, one bundle of our own code as an ES module
// and one as CommonJS, because a hundred small files are most of what an import costs; dependencies stay imports, so that
// their fixes reach users without a release of ours. The types are compiled beside the bundles.
import { chmod, cp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { recordBuild, sourcesNow } from "./build-record.mjs";
import { emitDeclarations } from "./declarations.mjs";
import { embedAssets } from "./embed-assets.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}/dist`;

/** @type {{ exports: Record<string, string | { import: string }>, bin: Record<string, string> }} */
const { bin, exports } = JSON.parse(await readFile(`${root}/package.json`, "utf8"));
const programs = Object.values(bin);
const entries = Object.values(exports).flatMap((target) => (typeof target === "string" ? [] : [target.import]));

/** The file in lib/ that becomes a file in dist/. @param {string} output */
function sourceOf(output) {
  return output.replace("./dist/esm/", "lib/").replace(/\.js$/, ".ts");
}

/** @param {string} source */
function isForBrowsers(source) {
  return source.startsWith("lib/browser/");
}

/**
 * Each entry point by itself: no chunk is shared, so what one of them knows, another does not.
 * @param {"esm" | "cjs"} format @param {readonly string[]} sources @param {import("esbuild").BuildOptions} target
 */
async function bundle(format, sources, target) {
  await build({
    ...target,
    absWorkingDir: root,
    entryPoints: [...sources],
    outbase: "lib",
    outdir: `dist/${format}`,
    bundle: true,
    format,
    packages: "external",
    // Where test runners load CommonJS, import() fails. Every dependency can be required, and that costs half.
    supported: { "dynamic-import": format === "esm" },
    sourcemap: true,
    // They are in the package as they are, once for both formats.
    sourcesContent: false,
    charset: "utf8",
    logLevel: "warning",
  });
}

async function bundleAll() {
  const sources = entries.map(sourceOf);
  const [forServers, forBrowsers] = [sources.filter((each) => !isForBrowsers(each)), sources.filter(isForBrowsers)];
  /** @type {import("esbuild").BuildOptions} */
  const server = { platform: "node", target: "node20" };
  await Promise.all([
    bundle("esm", [...forServers, ...programs.map(sourceOf)], server),
    bundle("cjs", forServers, server),
    bundle("esm", forBrowsers, { platform: "browser", target: "es2022" }),
    bundle("cjs", forBrowsers, { platform: "browser", target: "es2022" }),
  ]);
  await Promise.all(programs.map((program) => chmod(`${root}/${program}`, 0o755)));
}

async function declareAll() {
  const declarations = entries.map((entry) => entry.replace(/\.js$/, ".d.ts").replace("./dist/esm/", ""));
  await emitDeclarations(`${dist}/esm`, declarations);
  // The same text serves both formats; what it means there is decided by the package.json beside it.
  await cp(`${dist}/esm`, `${dist}/cjs`, { recursive: true });
}

try {
  await rm(dist, { recursive: true, force: true });
  await embedAssets();
  const sources = await sourcesNow();
  await declareAll();
  await bundleAll();
  await writeFile(`${dist}/cjs/package.json`, '{ "type": "commonjs" }\n');
  await recordBuild(sources);
} catch (error) {
  // Half a build would be taken for a whole one.
  await rm(dist, { recursive: true, force: true });
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
