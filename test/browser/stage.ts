import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { Agent } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import jsqr from "jsqr";
import type { APIRequestContext, Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import webpush from "web-push";
import type { SecondFactor } from "express-second-factor";
import { movableClock, type MovableClock } from "express-second-factor/testing";
import { createApp } from "../../example-app/app.js";
import { Outbox } from "../../example-app/outbox.js";
import { openFile } from "../../example-app/storage/file.js";

export const PASSWORD = "correct horse battery staple";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCREENSHOTS = join(ROOT, "test", "screenshots");
const DESK = { width: 1200, height: 800 };
const PHONE = { width: 390, height: 844 };

/** The example application, listening, with a clock that can be moved. */
export interface Demo {
  readonly origin: string;
  readonly clock: MovableClock;
  readonly mfa: SecondFactor;
  close(): Promise<void>;
}

export const heading = (page: Page, name: string): Locator => page.getByRole("heading", { level: 1, name });

type AppOptions = Parameters<typeof createApp>[0];

/**
 * `outboxFor`: where its mails and texts go in the place of its own outbox. `pushAgent`: leads to where browsers are woken. `deskFor`: who
 * works at its help desk, and what is written down of it.
 */
export async function startDemo(
  outboxFor = (clock: MovableClock): Outbox => new Outbox({ clock }),
  pushAgent?: Agent,
  deskFor?: (parts: Pick<AppOptions, "storage"> & { clock: MovableClock }) => Promise<Partial<AppOptions>>,
): Promise<Demo> {
  const clock = movableClock();
  const storage = await openFile(":memory:");
  const desk = await deskFor?.({ storage, clock });
  const keys = `test:${randomBytes(32).toString("base64")}`;
  const secrets = { keys, sessionSecret: "of no value", vapid: webpush.generateVAPIDKeys() };
  let mfa!: SecondFactor;
  const listening = await listen((origin) => {
    const made = createApp({ origin, storage, ...secrets, clock, outbox: outboxFor(clock), pushAgent, ...desk });
    mfa = made.mfa;
    return made.app;
  });
  return {
    clock,
    mfa,
    origin: listening.origin,
    async close() {
      await listening.close();
      await storage.close();
    },
  };
}

/** An application, listening. Its origin is configuration, and the port is known only once it listens. */
export async function listen(appFor: (origin: string) => RequestListener): Promise<Pick<Demo, "close" | "origin">> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  server.on("request", appFor(origin));
  return { origin, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve, reject) => {
    server.close((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** A browser profile of its own, and everything in it that should not have happened. */
export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors and warnings, exceptions, violated content policies, requests to other hosts. */
  readonly troubles: string[];
}

// The browser says so of every page that is answered with an error's status, as a refused code rightly is.
const REFUSED_PAGE = /^Failed to load resource: the server responded with a status of 4\d\d/;
/** Asked for by the pages' own script, which says why it was refused, or goes on to the page that does. */
const ASKED_BY_SCRIPT = /\/passkey\/(enroll\/)?options$|\/push\/(decide|requests)$/;

export async function visit(
  browser: Browser,
  demo: Pick<Demo, "origin">,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  return watched(await browser.newContext({ ...profileAt(demo), ...options }), demo);
}

/** How a browser visits it, for one that is opened elsewhere. */
export function profileAt({ origin }: Pick<Demo, "origin">): BrowserContextOptions {
  return { baseURL: origin, viewport: DESK, locale: "en-GB" };
}

/** A profile that is open already. */
export async function watched(context: BrowserContext, demo: Pick<Demo, "origin">): Promise<Visitor> {
  const troubles: string[] = [];
  const pages = new Set<string>();
  const isExpected = (url: string): boolean => pages.has(url) || ASKED_BY_SCRIPT.test(url);
  context.on("request", (request) => {
    if (request.isNavigationRequest()) pages.add(request.url());
    const { origin, protocol } = new URL(request.url());
    if (origin !== demo.origin && protocol !== "blob:") troubles.push(`request to ${request.url()}`);
  });
  context.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const isRefusedPage = REFUSED_PAGE.test(message.text()) && isExpected(message.location().url);
    if (!isRefusedPage) troubles.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => troubles.push(`exception: ${String(error.error())}`));
  const page = await context.newPage();
  // Longer than a click takes on a machine that runs two more browsers beside this one.
  page.setDefaultTimeout(15_000);
  return { page, context, troubles };
}

/** Fills in and sends the example application's own form. */
export async function logIn(page: Page, email: string): Promise<void> {
  await page.goto("/login");
  await giveCredentials(page, email);
}

export async function giveCredentials(page: Page, email: string): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
}

export async function register(page: Page, email: string): Promise<void> {
  await page.goto("/register");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
}

export async function logOut(page: Page): Promise<void> {
  await page.goto("/account");
  await page.getByRole("button", { name: "Log out" }).click();
}

/** Opens what the settings page has folded away, such as "Add an authenticator app". */
export async function unfold(page: Page, title: string): Promise<void> {
  await page.getByText(title, { exact: true }).click();
}

/** The field for a name in the form that is open. */
export const nameField = (page: Page): Locator => page.getByLabel("Name (optional)").filter({ visible: true });

export async function giveCode(page: Page, code: string, button = "Continue"): Promise<void> {
  await page.getByLabel("6-digit code").fill(code);
  await page.getByRole("button", { name: button }).click();
}

/** The link of the button for those who read the page on the phone itself. */
export async function keyUri(page: Page): Promise<string> {
  return (await page.getByRole("link", { name: "Open in an authenticator app" }).getAttribute("href")) ?? "";
}

interface Photograph {
  readonly width: number;
  readonly height: number;
  /** A character for each pixel: `1` is dark. */
  readonly pixels: string;
}

// The package is CommonJS with a `default` member, which Node hands on as it is.
const decode = (typeof jsqr === "function" ? jsqr : (jsqr as { default: unknown }).default) as (
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
) => { readonly data: string } | null;

/** What a camera held to the screen reads. */
export async function scan(code: Locator): Promise<string | undefined> {
  const png = await code.screenshot();
  // The pages' content policy allows no pictures from elsewhere, so an empty page develops the photograph.
  const darkroom = await code.page().context().newPage();
  const { pixels, width, height } = await darkroom.evaluate(async (base64): Promise<Photograph> => {
    const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
    canvas.drawImage(bitmap, 0, 0);
    const { data, width, height } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
    const reds = Array.from({ length: width * height }, (_none, index) => data[index * 4] ?? 0);
    return { pixels: reds.map((red) => (red < 128 ? "1" : "0")).join(""), width, height };
  }, png.toString("base64"));
  await darkroom.close();
  const rgba = new Uint8ClampedArray(pixels.length * 4).fill(255);
  for (let index = 0; index < pixels.length; index += 1) {
    if (pixels[index] === "1") rgba.fill(0, index * 4, index * 4 + 3);
  }
  return decode(rgba, width, height)?.data;
}

/** What is wrong with a page for those who do not see it, or see it on a phone. */
export function flaws(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const all = <E extends Element>(selector: string): E[] => [...document.querySelectorAll<E>(selector)];
    const levels = all("h1, h2, h3, h4, h5, h6").map((heading) => Number(heading.tagName[1]));
    if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) found.push(`headings: ${levels.join()}`);
    levels.forEach((level, index) => {
      if (level > (levels[index - 1] ?? 1) + 1) found.push(`heading ${level} after ${levels[index - 1] ?? 0}`);
    });
    for (const input of all<HTMLInputElement>("input:not([type=hidden])")) {
      if (input.labels?.length !== 1) found.push(`no label: ${input.outerHTML}`);
    }
    for (const element of all("[aria-describedby], [aria-labelledby]")) {
      const ids = ["aria-describedby", "aria-labelledby"].flatMap(
        (name) => element.getAttribute(name)?.split(" ") ?? [],
      );
      for (const id of ids) if (!document.getElementById(id)) found.push(`points at nothing: ${id}`);
    }
    for (const button of all<HTMLElement>("button, a, summary")) {
      if (!button.textContent.trim() && !button.ariaLabel) found.push(`no name: ${button.outerHTML}`);
    }
    const ids = all("[id]").map(({ id }) => id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`twice: #${id}`);
    if (all("main").length !== 1) found.push("not one main landmark");
    if (!document.documentElement.lang) found.push("no language");
    if (!/[\w?] – \w/.test(document.title)) found.push(`title: ${document.title}`);
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`wider than the screen: ${scrollWidth} in ${clientWidth}`);
    return found;
  });
}

/** Posts as the scripts of an application do, with the cookies of that page; answers the body. */
export async function post(
  { request }: { readonly request: APIRequestContext },
  path: string,
  data: object = {},
): Promise<Record<string, string>> {
  const answer = await request.post(path, { data, headers: { Accept: "application/json" } });
  return answer.status() === 204 ? {} : ((await answer.json()) as Record<string, string>);
}

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

export const follow = (page: Page, name: string): Promise<void> =>
  page.getByRole("link", { name, exact: true }).click();

/**
 * Answers what is wrong with a page at a desk and on a phone. With `SCREENSHOTS=1` it keeps pictures of it too, by day, by night and on a
 * phone, for people: no test looks at them. `flawsOf`: of what is no page of a site.
 */
export async function look(page: Page, name: string, flawsOf = flaws): Promise<string[]> {
  const found = await flawsOf(page);
  await picture(page, `${name}-light`);
  await picture(page, `${name}-dark`, "dark");
  await page.setViewportSize(PHONE);
  found.push(...(await flawsOf(page)).map((flaw) => `on a phone: ${flaw}`));
  await picture(page, `${name}-phone`);
  await page.setViewportSize(DESK);
  return found;
}

async function picture(page: Page, name: string, colorScheme: "light" | "dark" = "light"): Promise<void> {
  if (process.env["SCREENSHOTS"] !== "1") return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.emulateMedia({ colorScheme });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, animations: "disabled" });
  await page.emulateMedia({ colorScheme: "light" });
}

/** The picture in the README. Written on demand, so that a test run leaves the tree as it was. */
export async function updateDocumentation(page: Page, name: string): Promise<void> {
  if (process.env["UPDATE_SCREENSHOTS"] !== "1") return;
  const images = join(ROOT, "docs", "images");
  await mkdir(images, { recursive: true });
  await page.screenshot({ path: join(images, `${name}.png`), fullPage: true, animations: "disabled" });
}
