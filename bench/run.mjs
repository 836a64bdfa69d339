// @ts-check
// `npm run bench`: asks every question, prints the answers, and keeps them in bench/results. With names as arguments it asks
// only those; `--quick` takes few rounds, to see that everything runs; `--docs` writes the tables and the picture of a whole run
// into docs/performance.md.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { format, resolveConfig } from "prettier";
import { createClient } from "redis";
import { moveToLoadCore } from "./measure/cores.mjs";
import { EFFORT } from "./measure/effort.mjs";
import { describeMachine, machineText } from "./measure/machine.mjs";
import { startPostgres, startRedis } from "./measure/services.mjs";
import { QUESTIONS, STACK_NAMES } from "./questions/questions.mjs";
import { drawFigures } from "./report/figures.mjs";
import { targetTable, toMarkdown, toTerminal } from "./report/tables.mjs";

/**
 * @typedef {object} Services what a question may use; a server process it starts is its own
 * @property {{ url: string, port: number }} redis
 * @property {{ url: string }} postgres
 * @property {(text: string) => Promise<unknown>} query the first cell of what PostgreSQL answers
 * @property {import("./measure/effort.mjs").Effort} effort
 */

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const DOCS = fileURLToPath(new URL("../docs/", import.meta.url));

/** @param {Services["effort"]} effort @param {(services: Services, versions: { redis: string, postgres: string }) => Promise<void>} work */
async function withServices(effort, work) {
  const redis = await startRedis();
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url });
  const client = await createClient({ url: redis.url }).connect();
  try {
    /** @param {string} text */
    const query = async (text) => Object.values((await pool.query(text)).rows[0] ?? {})[0];
    const versions = {
      redis: /redis_version:(\S+)/.exec(await client.info("server"))?.[1] ?? "",
      postgres: String(await query("show server_version")),
    };
    await work({ redis, postgres, query, effort }, versions);
  } finally {
    client.destroy();
    await pool.end();
    await redis.kill();
    await postgres.remove();
  }
}

/** @param {Services} services @param {readonly string[]} wanted */
async function ask(services, wanted) {
  /** @type {Record<string, unknown>} */
  const results = {};
  /** @type {Record<string, number>} */
  const seconds = {};
  /** @type {import("./report/tables.mjs").Table[]} */
  const tables = [];
  /** @type {import("./report/tables.mjs").Target[]} */
  const targets = [];
  for (const [name, question] of Object.entries(QUESTIONS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`\n${question.asks}`);
    const start = performance.now();
    const answered = await question.answer(services);
    seconds[name] = Math.round((performance.now() - start) / 1000);
    results[name] = answered.result;
    tables.push(...answered.tables);
    targets.push(...answered.targets);
    for (const table of answered.tables) console.log(toTerminal(table));
  }
  return { results, tables, targets, seconds };
}

/** @param {string} text @param {string} figures */
function withFigures(text, figures) {
  return text.replace(
    /(<!-- figures -->\n)[^]*(<!-- end of figures -->)/,
    (_all, begin, end) => `${begin}\n${figures}\n${end}`,
  );
}

/** @typedef {Awaited<ReturnType<typeof ask>> & { machine: Awaited<ReturnType<typeof describeMachine>>, effort: Services["effort"] }} Run */

/** Keeps a run in bench/results; with `isForDocs` in the documentation as well. @param {Run} run @param {boolean} isForDocs */
async function keep({ machine, effort, results, tables, targets, seconds }, isForDocs) {
  const markdown = [machineText(machine), "", ...[targetTable(targets), ...tables].map(toMarkdown)].join("\n");
  const picture = drawFigures(results, STACK_NAMES);
  await mkdir(RESULTS, { recursive: true });
  const figures = JSON.stringify({ machine, effort, seconds, targets, results }, undefined, 2);
  await writeFile(`${RESULTS}performance.json`, `${figures}\n`);
  await writeFile(`${RESULTS}performance.md`, markdown);
  await writeFile(`${RESULTS}performance.svg`, picture);
  console.log(`\n${RESULTS}performance.{json,md,svg}`);
  if (!isForDocs) return;
  const page = `${DOCS}performance.md`;
  const text = withFigures(await readFile(page, "utf8"), markdown);
  await writeFile(page, await format(text, { ...(await resolveConfig(page)), filepath: page }));
  await writeFile(`${DOCS}images/performance.svg`, picture);
}

const FLAGS = ["--quick", "--docs"];

/** @param {readonly string[]} given */
function readArguments(given) {
  const wanted = given.filter((each) => !FLAGS.includes(each));
  const unknown = wanted.filter((name) => !(name in QUESTIONS));
  if (unknown.length > 0) {
    const known = [...Object.keys(QUESTIONS), ...FLAGS].join(", ");
    throw new Error(`Nothing is called ${unknown.join(", ")}; there are ${known}`);
  }
  const [isQuick, isForDocs] = FLAGS.map((flag) => given.includes(flag));
  if (isForDocs && (isQuick || wanted.length > 0)) throw new Error("Only a whole run belongs into the documentation");
  return { wanted, effort: isQuick ? EFFORT.quick : EFFORT.whole, isForDocs: isForDocs === true };
}

/** @param {readonly string[]} given */
async function main(given) {
  const { wanted, effort, isForDocs } = readArguments(given);
  moveToLoadCore();
  await withServices(effort, async (services, versions) => {
    const machine = await describeMachine(versions);
    console.log(machineText(machine));
    const asked = await ask(services, wanted);
    console.log(toTerminal(targetTable(asked.targets)));
    await keep({ ...asked, machine, effort }, isForDocs);
  });
}

// Whoever stops a run stops what it started: that happens at the exit, which a signal alone would skip.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));
