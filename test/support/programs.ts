import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Where a program is on the PATH. */
export function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Installs a Debian package where that is possible; tests in other processes that want one too wait for it. */
export function installDebian(name: string): void {
  if (process.getuid?.() !== 0 || !onPath("apt-get") || !onPath("flock")) return;
  const install = `command -v ${name} || { apt-get update && apt-get install -y --no-install-recommends ${name}; }`;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("flock", [join(tmpdir(), `install-${name}.lock`), "sh", "-c", install], {
    stdio: "pipe",
    env: environment,
  });
}

/** A loopback port nobody listens on, below the range the system hands out itself, so that a restart finds it free again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Waits until `holds`, looking again every few milliseconds; fails with `what` when it does not within the bound. */
export async function until(what: string, holds: () => unknown, bound = 10_000): Promise<void> {
  const end = Date.now() + bound;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`Not within ${bound} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
