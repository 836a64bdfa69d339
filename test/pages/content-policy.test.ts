import { describe, expect, test } from "@jest/globals";
import type { Request, Response } from "express";
import { ConfigurationError, type PagesOptions } from "express-second-factor";
import { testApp } from "../support/app.js";
import { Jar } from "../support/browser.js";

type Policy = NonNullable<PagesOptions["contentSecurityPolicy"]>;

function problemsOf(contentSecurityPolicy: unknown): readonly string[] {
  try {
    testApp({ options: { pages: { contentSecurityPolicy: contentSecurityPolicy as Policy } } });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

let made = 0;

/** The directives of a page, of a problem's page and of the page with a form, which must not differ. */
async function directives(contentSecurityPolicy?: Policy): Promise<Record<string, string>> {
  const target = testApp({
    options: { pages: contentSecurityPolicy === undefined ? {} : { contentSecurityPolicy } },
    before(app) {
      app.use((_req, res, next) => {
        res.locals.nonce = `n${(made += 1)}`;
        next();
      });
    },
  });
  const jar = new Jar(target);
  const problem = await jar.page("/2fa");
  expect(problem.status).toBe(401);
  await jar.login("carol");
  const page = await jar.page("/2fa/settings");
  expect(page.status).toBe(200);
  const [first, second] = [problem, page].map(({ headers }) => String(headers["content-security-policy"]));
  expect(second?.replaceAll(/n\d+/g, "n")).toBe(first?.replaceAll(/n\d+/g, "n"));
  return Object.fromEntries(
    (second ?? "").split("; ").map((directive) => {
      const [name = "", ...words] = directive.split(" ");
      return [name, words.join(" ")];
    }),
  );
}

const OWN = {
  "default-src": "'none'",
  "style-src": "'self'",
  "script-src": "'self'",
  "img-src": "'self'",
  "connect-src": "'self'",
  "base-uri": "'none'",
  "frame-ancestors": "'none'",
};

describe("the content policy of a page", () => {
  test("allows nothing from elsewhere, nothing inline and no frame, and holds no form's way on", async () => {
    expect(await directives()).toEqual(OWN);
  });

  test.each<[string, Policy, Record<string, string>]>([
    ["fonts", { "font-src": ["'self'", "https://fonts.example"] }, { "font-src": "'self' https://fonts.example" }],
    [
      "a logo from elsewhere",
      { "img-src": "https://cdn.example data:" },
      { "img-src": "'self' https://cdn.example data:" },
    ],
    ["a frame of this site", { "frame-ancestors": ["'self'"] }, { "frame-ancestors": "'self'" }],
    ["names as other code for Express writes them", { fontSrc: "'self'" }, { "font-src": "'self'" }],
    ["what is there already", { "style-src": ["'self'"] }, {}],
    [
      "styles of elements alone",
      { "style-src-elem": "https://cdn.example" },
      { "style-src-elem": "'self' https://cdn.example" },
    ],
    [
      "where forms lead",
      { "form-action": ["'self'", "https://client.example"] },
      { "form-action": "'self' https://client.example" },
    ],
    ["nothing in a directive's place", { "connect-src": ["'none'"] }, { "connect-src": "'none'" }],
    ["a directive without a value", { "upgrade-insecure-requests": true }, { "upgrade-insecure-requests": "" }],
    ["reports", { "report-uri": "/csp" }, { "report-uri": "/csp" }],
    ["undefined", { "font-src": undefined }, {}],
  ])("takes %s, and keeps the rest", async (_name, given, changes) => {
    expect(await directives(given)).toEqual({ ...OWN, ...changes });
  });

  test("leaves a directive out", async () => {
    const { "base-uri": _out, ...rest } = OWN;
    expect(await directives({ "base-uri": false })).toEqual(rest);
  });

  test.each<[string, Policy]>([
    ["a function", { "style-src": (_req: Request, res: Response) => `'nonce-${String(res.locals.nonce)}'` }],
    ["a function that answers a list", { "style-src": (_req, res) => [`'nonce-${String(res.locals.nonce)}'`] }],
    ["a function in a list", { styleSrc: ["'self'", (_req, res) => `'nonce-${String(res.locals.nonce)}'`] }],
  ])("has a nonce of each answer's own from %s", async (_name, given) => {
    const first = await directives(given);
    const second = await directives(given);
    expect(first["style-src"]).toMatch(/^'self' 'nonce-n\d+'$/);
    expect(second["style-src"]).not.toBe(first["style-src"]);
  });

  test.each([
    ["what ends the directive", () => "'self'; script-src *"],
    ["what ends the header", () => "a\u0000b"],
    ["nothing", () => undefined],
    ["a promise", async () => "'self'"],
    ["what keeps the pages' script out", () => "'strict-dynamic'"],
  ])("is refused with 503 where a function answers %s", async (_name, answer) => {
    const target = testApp({ options: { pages: { contentSecurityPolicy: { "script-src": answer as () => string } } } });
    const page = await new Jar(target).page("/2fa");
    expect([page.status, page.type]).toEqual([503, "application/problem+json"]);
  });
});

describe("pages.contentSecurityPolicy is refused at start as", () => {
  test.each<[unknown, RegExp]>([
    ["default-src 'self'", /an object of directives/],
    [null, /an object of directives/],
    [[], /an object of directives/],
    [{ "font-source": "'self'" }, /there is no such directive; did you mean "font-src"/],
    [{ whatever: "'self'" }, /\["whatever"\]: there is no such directive$/],
    [{ "font-src": "self" }, /"self" needs single quotes: "'self'"/],
    [{ "font-src": ["'self'", "none"] }, /"none" needs single quotes/],
    [{ "font-src": ["'none'", "'self'"] }, /'none' stands alone/],
    [{ "font-src": [] }, /write "'none'"/],
    [{ "font-src": "" }, /write "'none'"/],
    [{ "font-src": true }, /true is for upgrade-insecure-requests/],
    [{ "font-src": 5 }, /a text, a list of texts, or a function/],
    [{ "font-src": ["'self'", 5] }, /a text, a list of texts, or a function/],
    [{ "font-src": "'self'; script-src *" }, /"'self';" is no source/],
    [{ "font-src": "https://a.example,https://b.example" }, /is no source/],
    [{ "font-src": "https://größe.example" }, /is no source/],
    [{ "style-src": "'nonce-abc'" }, /a nonce is another for every answer/],
    [{ "script-src": ["'strict-dynamic'"] }, /keep the script of the pages themselves out/],
    [{ "font-src": "'self'", fontSrc: "'self'" }, /"font-src" is there twice/],
  ])("%j", (given, mend) => {
    const problems = problemsOf(given);
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) {
      expect(problem).toMatch(/^pages\.contentSecurityPolicy/);
      expect(problem).toMatch(mend);
    }
  });

  test("several at once, each with its mend", () => {
    expect(problemsOf({ "font-src": "self", "img-source": "x", "style-src": "'nonce-a'" })).toHaveLength(3);
  });
});
