import { chromium, type Browser } from "playwright-core";
import { installDebian, onPath } from "./programs.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

export const LAUNCH_ARGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where a Chromium is. Installs Debian's when run as root there; throws where none can be had. */
export function findChromium(): string {
  return installedChromium() ?? installChromium();
}

/** A Chromium with a fresh profile; the caller closes it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: LAUNCH_ARGS });
}

function installedChromium(): string | undefined {
  const named = process.env["CHROMIUM_PATH"];
  if (named) return named;
  for (const name of NAMES) {
    const found = onPath(name);
    if (found) return found;
  }
  return undefined;
}

function installChromium(): string {
  installDebian("chromium");
  const found = onPath("chromium");
  if (found) return found;
  throw new Error("No Chromium: install one (Debian: `apt-get install chromium`) or set CHROMIUM_PATH to its binary.");
}
