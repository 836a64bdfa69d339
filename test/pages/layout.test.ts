import { describe, expect, test } from "@jest/globals";
import type { Layout, LayoutParts } from "express-second-factor";
import { CANARY, testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { visibleText } from "../support/text.js";

const whole = ({ body, head, lang, title }: LayoutParts): string =>
  `<!doctype html><html lang="${lang}"><head><title>${title}</title>${head}</head><body>${body}</body></html>`;

function appWith(layout: Layout): TestApp {
  return testApp({ options: { pages: { layout } } });
}

/** Every way to a page: shown, shown again with a problem, answered by a write, refused, for nobody, for what is not there. */
async function pagesOf(target: TestApp) {
  const { phone } = await enrolled(target, "alice");
  const [waiting, inside] = [await pending(target, "alice"), await full(target, "alice", phone)];
  return [
    await waiting.page("/2fa"),
    await waiting.form("/2fa/totp", { code: "000000" }),
    await inside.page("/2fa/settings"),
    await inside.form("/2fa/backup-codes"),
    await inside.form("/2fa/factors/none/remove"),
    await inside.page("/2fa/nowhere"),
    await new Jar(target).page("/2fa/settings"),
  ];
}

describe("an application's own layout", () => {
  test("may be async, and is told which request it is for", async () => {
    const target = appWith(async (parts, req) => {
      await Promise.resolve();
      const user = req.secondFactor.user as { name: string } | undefined;
      return whole(parts).replace("<body>", `<body><nav>${req.originalUrl} ${user?.name ?? "nobody"}</nav>`);
    });
    const pages = (await pagesOf(target)).filter(({ status }) => status !== 303);
    for (const page of pages) expect(page.text).toMatch(/<nav>\/2fa\S* (alice|nobody)<\/nav>/);
    expect(pages[0]!.text).toContain("<nav>/2fa alice</nav>");
    expect(pages.at(-1)!.text).toContain("<nav>/2fa/settings nobody</nav>");
  });

  test.each<[string, Layout]>([
    ["throws", () => whole(JSON.parse("{") as LayoutParts)],
    ["rejects", async () => Promise.reject(new Error("no template"))],
    ["answers nothing", (() => undefined) as unknown as Layout],
    ["answers nothing after a while", (async () => undefined) as unknown as Layout],
    ["answers an empty page", () => " "],
    ["answers what is no text", (() => ({ html: "" })) as unknown as Layout],
  ])("that %s is a failure that names it: 503 with a page, and nothing opens", async (_what, broken) => {
    let isBroken = false;
    const target = appWith((parts, req) => (isBroken ? broken(parts, req) : whole(parts)));
    const { phone } = await enrolled(target, "alice");
    const waiting = await pending(target, "alice");
    isBroken = true;
    target.events.length = 0;
    for (const ask of [
      () => waiting.page("/2fa"),
      () => waiting.form("/2fa/totp", { code: "000000" }),
      () => waiting.page("/2fa/nowhere"),
      () => new Jar(target).page("/2fa"),
    ]) {
      const answer = await ask();
      expect([answer.status, answer.type]).toEqual([503, "text/html"]);
      expect(visibleText(answer.text)).toContain("Please try again in a minute");
      expect(answer.text).not.toContain(CANARY);
    }
    const reasons = target.events.filter(({ action }) => action === "unavailable").map(({ reason }) => reason);
    expect(reasons).toHaveLength(4);
    for (const reason of reasons) expect(reason).toMatch(/^layout /);
    // Clients of the API never see a page.
    expect((await waiting.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("that fails on the page of new codes has not brought the browser its new session either", async () => {
    let isBroken = false;
    const target = appWith((parts) => (isBroken ? "" : whole(parts)));
    const jar = await pending(target, "carol");
    const { body } = await jar.post("/2fa/totp/enroll");
    isBroken = true;
    const answer = await jar.form("/2fa/totp/enroll/confirm", { factorId: body.factorId, code: "000000" });
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([503, undefined]);
  });

  test("need not show the issuer twice", async () => {
    const seen: LayoutParts[] = [];
    const layout: Layout = (parts) => {
      seen.push(parts);
      return whole(parts);
    };
    await pagesOf(testApp({ options: { pages: { layout, showIssuer: false } } }));
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.filter(({ body, title }) => title.includes("Acme") || body.includes("sf-brand"))).toEqual([]);
    await pagesOf(testApp({ options: { pages: { layout } } }));
    expect(seen.at(-1)!.title).toMatch(/ – Acme$/);
  });
});
