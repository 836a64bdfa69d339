import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { Jar } from "../support/browser.js";

function titleOf(page: string): string | undefined {
  return /<title>([^<]*)<\/title>/.exec(page)?.[1];
}

describe("where the issuer depends on the user", () => {
  test("a page of nobody is titled without one, in every layout and with words of one's own", async () => {
    const layout = ({ body, title }: { body: string; title: string }) => `<title>${title}</title>${body}`;
    const messages = { common: { pageTitle: (title: string, issuer: string) => `${issuer}: ${title}` } };
    for (const pages of [{}, { layout }, { messages }]) {
      const target = testApp({ options: { issuer: () => "Acme", pages } });
      for (const path of ["/2fa", "/2fa/settings"]) {
        const { text } = await new Jar(target).page(path);
        expect(titleOf(text)).toBe("Sign in first");
        expect(text).not.toMatch(/sf-brand"[^>]*><\/p>/);
      }
      expect(titleOf((await new Jar(target).page("/2fa/nothing")).text)).toBe("There is nothing here");
    }
  });

  test("a page of somebody is titled with theirs", async () => {
    const target = testApp({ options: { issuer: (_req, { name }) => `Bank of ${name}` } });
    const jar = new Jar(target);
    await jar.login("alice");
    expect(titleOf((await jar.page("/2fa/settings")).text)).toMatch(/ – Bank of alice$/);
  });

  test("and where it does not, a page of nobody has it too", async () => {
    expect(titleOf((await new Jar(testApp()).page("/2fa")).text)).toBe("Sign in first – Acme");
  });
});
