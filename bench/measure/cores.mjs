// @ts-check
// Which core does what: the server under measurement has one for itself; the load and the databases share another.
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

const [SERVER_CORE, LOAD_CORE] = ["0", "1"];

function canPin() {
  if (process.platform !== "linux" || availableParallelism() < 2) return false;
  try {
    execFileSync("taskset", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export const isPinned = canPin();

/** Put before a command line, it runs on the server's core. */
export const serverPrefix = isPinned ? ["taskset", "--cpu-list", SERVER_CORE] : [];

/** Puts this process, and what it starts from now on, on the core of the load. */
export function moveToLoadCore() {
  if (!isPinned) return;
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", LOAD_CORE, String(process.pid)], { stdio: "ignore" });
}
