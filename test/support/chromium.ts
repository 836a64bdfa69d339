import { chromium, type Browser } from "playwright-core";
import { installDebian, onPath } from "./programs.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/**
 * Chromium takes the last list that it is given, so those of Playwright's that keep a browser off the network and on plain HTTP are said
 * again. The last two build the window's own pages around an address bar that nobody sees: a second for each profile.
 */
const SWITCHED_OFF = [
  "AimEnabled",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "LensOverlay",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxPopup",
];

export const LAUNCH_ARGS = [
  `--disable-features=${SWITCHED_OFF.join()}`,
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
