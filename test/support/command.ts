import { execFile } from "node:child_process";
import { built } from "./built.js";

/** What a run of the command line came to. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `express-second-factor` as it is built. `env`: beside what this process has; `cwd`: default: here. */
export function runCommand(
  args: readonly string[],
  { cwd, env }: { readonly cwd?: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const call = [built("esm/cli/main.js"), ...args];
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 15_000 };
    execFile(process.execPath, call, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
