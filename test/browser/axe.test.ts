import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { pageScript, styleSheet } from "../../lib/pages/embedded.js";
import { contextWith, everyPage } from "../pages/sample-pages.js";
import { openedPushPage } from "../pages/sample-push-pages.js";
import { launchChromium } from "../support/chromium.js";
import { flaws } from "./stage.js";

jest.setTimeout(120_000);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

interface Axe {
  run(options: object): Promise<{ readonly violations: readonly Violation[] }>;
}

/** The pages that say one problem are one page with other words. */
const ONE_PROBLEM = /^problem (?!expired$)/;
const ALL = everyPage(contextWith());
/** What a script makes of the page of a device is looked at as if it had. */
const OPENED = { pushApproveOpened: openedPushPage(ALL["pushApprove"] ?? "") };
const PAGES = Object.entries({ ...ALL, ...OPENED }).filter(([name]) => !ONE_PROBLEM.test(name));

/** How eyes and systems are served, each page looked at in all of them. */
const SIGHTS = {
  light: { colorScheme: "light", contrast: "no-preference", forcedColors: "none" },
  dark: { colorScheme: "dark", contrast: "no-preference", forcedColors: "none" },
  "more contrast": { colorScheme: "light", contrast: "more", forcedColors: "none" },
  "more contrast, dark": { colorScheme: "dark", contrast: "more", forcedColors: "none" },
  "forced colours": { colorScheme: "dark", contrast: "more", forcedColors: "active" },
} as const;

describe("the pages in Chromium", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 390, height: 844 }, reducedMotion: "reduce" });
    // Half a megabyte, read once: each page is written into the same window, which keeps what it has.
    await page.evaluate(AXE);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
  });

  /** What axe finds in one sight; all its rules the first time, those about colours from then on. */
  async function found(rules: object): Promise<string[]> {
    const { violations } = await page.evaluate((options) => (window as unknown as { axe: Axe }).axe.run(options), {
      resultTypes: ["violations"],
      ...rules,
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ""}`),
    );
  }

  test.each(PAGES)("%s has nothing that axe finds, in any sight, with everything opened", async (_name, html) => {
    await page.emulateMedia(SIGHTS.light);
    // The page as it is sent, with what it loads put into it: there is no server.
    const whole = html
      .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${styleSheet}</style>`)
      .replace(/<script type="module"[^>]*><\/script>/, () => `<script type="module">${pageScript}</script>`);
    await page.setContent(whole, { waitUntil: "domcontentloaded" });
    await page.evaluate(() => {
      for (const each of document.querySelectorAll("details")) {
        each.removeAttribute("name");
        each.open = true;
      }
    });
    const seen: Record<string, string[]> = { phone: await flaws(page) };
    for (const [name, sight] of Object.entries(SIGHTS)) {
      await page.emulateMedia(sight);
      seen[name] = await found(name === "light" ? {} : { runOnly: ["color-contrast", "link-in-text-block"] });
    }
    expect(Object.entries(seen).filter(([, flawed]) => flawed.length > 0)).toEqual([]);
  });

  test("in forced colours every button, field and notice has a line around it", async () => {
    await page.emulateMedia(SIGHTS["forced colours"]);
    for (const [name, html] of PAGES) {
      await page.setContent(html.replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${styleSheet}</style>`));
      const bare = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>(".sf-button, .sf-notice, .sf-field input, .sf-mark, .sf-badge")]
          .filter((each) => each.offsetParent !== null)
          .filter((each) => parseFloat(getComputedStyle(each).borderTopWidth) === 0)
          .map(({ outerHTML }) => outerHTML),
      );
      expect([name, bare]).toEqual([name, []]);
    }
  });
});
