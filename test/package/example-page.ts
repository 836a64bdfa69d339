import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { type Key, plugIn } from "../browser/keys.js";
import { CANARY, passwordOf } from "../support/app.js";
import { Application, GUARDED, NOT_ENROLLED } from "./application.js";
import { sourceOf } from "./compiled-examples.js";
import type { Example } from "./documented-examples.js";
import { root, subpaths } from "./public-names.js";

/** A page of an application, in a browser with an authenticator that is always touched. */
export interface Visit {
  readonly page: Page;
  readonly key: Key;
  /** Gives the password of a user without a second factor. */
  logIn(): Promise<void>;
  logOut(): Promise<void>;
  isIn(): Promise<boolean>;
  /** Runs an example. Answers what it made, which is told after its last line. */
  run(example: Example): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

// Browsers make names of ids.
export const PAGE = `<!doctype html><title>Page</title><button id="button">Go on</button><output id="message"></output>
<form id="form"><input name="username" /><input name="password" type="password" /></form>
<script>const credentialId = "AAAAAAAAAAAAAAAAAAAAAA", userHandle = "AAAAAAAAAAAAAAAAAAAAAA", applicationServerKey = "AAAA";</script>`;

const SUBPATH = "express-second-factor/browser";

declare global {
  var made: Readonly<Record<string, unknown>> | undefined;
}

/** The example and what it imports of `lib/`, as a browser takes it. */
export async function bundled(example: Pick<Example, "code">): Promise<string> {
  const { made, text } = sourceOf(example);
  const { outputFiles } = await build({
    stdin: { contents: `${text}\nglobalThis.made = { ${made.join(", ")} };`, resolveDir: root, loader: "ts" },
    alias: { [SUBPATH]: subpaths().get(SUBPATH) ?? "" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  return outputFiles[0]?.text ?? "";
}

export async function openPage(browser: Browser): Promise<Visit> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const application = new Application("", { origin });
  await application.begin();
  application.app.get("/page", (_req, res) => {
    res.type("html").send(PAGE);
  });
  server.on("request", application.app);
  const context = await browser.newContext({ baseURL: origin });
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  const key = await plugIn(page);
  return {
    page,
    key,
    async logIn() {
      const { name } = NOT_ENROLLED;
      await context.request.post("/login", { data: { username: name, password: passwordOf(name) } });
    },
    async logOut() {
      await context.request.post("/logout");
    },
    isIn: async () => (await (await context.request.get(GUARDED)).text()).includes(CANARY),
    async run(example) {
      await page.goto("/page");
      await page.addScriptTag({ type: "module", content: await bundled(example) });
      await page.waitForFunction(() => globalThis.made !== undefined);
      return page.evaluate(() => globalThis.made ?? {});
    },
    async close() {
      await context.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await application.close();
    },
  };
}
