import { type ChildProcess, execFile, fork } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Beginning, Job, Message, Tally } from "./worker.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Below node_modules, where its imports of packages are found from.
const PROGRAM = join(root, `node_modules/.cache/express-second-factor/worker-${process.pid}.mjs`);

/** Processes of one application, which share nothing but a store. */
export interface Workers {
  /** Has every one of them start the application over this store. */
  begin(beginning: Beginning): Promise<void>;
  /** Ends the application in every one of them, so that its store may go away. */
  stop(): Promise<void>;
  /** Has every one of them do the same job at the same time; answers what came of it in all. */
  all(job: Job): Promise<Tally>;
  /** A job of its own for each. */
  each(jobs: readonly Job[]): Promise<Tally>;
  end(): Promise<void>;
}

/** The TypeScript of this folder and of `lib/`, as one program that Node can run. */
async function bundleWorker(): Promise<void> {
  await promisify(execFile)(join(root, "node_modules/.bin/esbuild"), [
    join(root, "test/support/worker.ts"),
    "--bundle",
    "--platform=node",
    "--format=esm",
    "--target=node20",
    "--packages=external",
    "--log-level=error",
    ...["", "/redis", "/sql", "/testing"].map(
      (path) => `--alias:express-second-factor${path}=${join(root, "lib", path, "index.ts")}`,
    ),
    `--outfile=${PROGRAM}`,
  ]);
}

async function told(worker: ChildProcess, message: Message): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`A worker ended with ${code}`));
    worker.once("exit", died);
    worker.once("message", (answer: { tally?: Tally; failure?: string }) => {
      worker.removeListener("exit", died);
      if (answer.tally) resolve(answer.tally);
      else reject(new Error(answer.failure));
    });
    worker.send(message);
  });
}

function sum(tallies: readonly Tally[]): Tally {
  const total: Tally = {};
  for (const [outcome, times] of tallies.flatMap(Object.entries))
    total[outcome] = (total[outcome] ?? 0) + Number(times);
  return total;
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exit = new Promise((resolve) => worker.once("exit", resolve));
  worker.kill("SIGKILL");
  await exit;
}

/** Starts so many processes, which wait to be told what to do; the caller ends them. */
export async function startWorkers(count: number): Promise<Workers> {
  await bundleWorker();
  const workers = Array.from({ length: count }, () =>
    fork(PROGRAM, {
      execArgv: [],
      env: { ...process.env, NODE_ENV: "test" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    }),
  );
  const all = async (message: Message): Promise<Tally> =>
    sum(await Promise.all(workers.map((worker) => told(worker, message))));
  return {
    all,
    each: async (jobs) => sum(await Promise.all(jobs.map((job, index) => told(workers[index % count]!, job)))),
    async begin(beginning) {
      await all(beginning);
    },
    async stop() {
      await all("stop");
    },
    async end() {
      await Promise.all(workers.map(ended));
      await rm(PROGRAM, { force: true });
    },
  };
}
