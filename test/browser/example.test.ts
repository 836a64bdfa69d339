import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** What the process writes until it ends or has written a whole line. */
async function firstLine(child: ChildProcess, stream: "stdout" | "stderr"): Promise<string> {
  let text = "";
  for await (const chunk of child[stream]!) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return text.trim();
}

describe("npm run example", () => {
  const running: ChildProcess[] = [];

  function start(port: number): ChildProcess {
    const child = spawn(process.execPath, ["example-app/server.js"], {
      cwd: ROOT,
      env: { ...process.env, PORT: String(port), NODE_ENV: "development", NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(child);
    return child;
  }

  beforeAll(() => {
    if (!existsSync(`${ROOT}/dist/esm/index.js`)) throw new Error("There is no dist/: run `npm run build` first.");
  });

  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
  });

  test("prints the address and serves the start page there, and the pages of the second factor", async () => {
    const address = await firstLine(start(await freePort()), "stdout");
    expect(address).toMatch(/^http:\/\/localhost:\d+$/);
    const home = await fetch(address);
    expect(home.status).toBe(200);
    expect(await home.text()).toContain("Demonstration");
    const settings = await fetch(`${address}/2fa/settings`, { headers: { accept: "text/html" } });
    expect(settings.status).toBe(401);
    expect(await settings.text()).toContain("Sign in first");
  });

  test("says in one line that the port is taken", async () => {
    const port = await freePort();
    await firstLine(start(port), "stdout");
    const second = start(port);
    const ended = once(second, "exit");
    expect(await firstLine(second, "stderr")).toBe(`Not started: port ${port} is taken, choose another with PORT=3001`);
    expect(await ended).toEqual([1, null]);
  });
});
