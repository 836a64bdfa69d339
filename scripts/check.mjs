// @ts-check
// `npm run check`: everything that reads the code without running it, side by side, each told of when it is done.
import { spawn } from "node:child_process";

const CHECKS = {
  assets: ["node", "scripts/embed-assets.mjs", "--check"],
  format: ["prettier", "--check", "."],
  lint: ["npm", "run", "--silent", "lint"],
  typecheck: ["npm", "run", "--silent", "typecheck"],
};

/**
 * @param {string} name
 * @param {readonly string[]} command
 * @returns {Promise<boolean>} whether it found nothing
 */
function passes(name, [command = "", ...given]) {
  return new Promise((resolve, reject) => {
    const running = spawn(command, given, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [running.stdout, running.stderr]) stream.on("data", (part) => (said += String(part)));
    running.on("error", reject);
    running.on("close", (code) => {
      console.log(`${name}: ${code === 0 ? "nothing to mend" : "failed"}\n${code === 0 ? "" : said}`);
      resolve(code === 0);
    });
  });
}

const found = await Promise.all(Object.entries(CHECKS).map(([name, command]) => passes(name, command)));
if (found.includes(false)) process.exitCode = 1;
