import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { testApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { STEP } from "../support/attack.js";
import { authenticatorApp } from "express-second-factor/testing";
import { submit } from "../support/pages.js";

const NAMESPACES = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1999/xlink"];

/** Every page there is, as a browser gets it. */
async function pages(): Promise<Record<string, Response>> {
  const target = testApp();
  const newcomer = new Jar(target);
  await newcomer.login("carol");
  const empty = await newcomer.page("/2fa/settings");
  const { page: setUp } = await submit(newcomer, "/2fa/totp/enroll");
  const { body } = await newcomer.post("/2fa/totp/enroll");
  const wrong = await newcomer.form("/2fa/totp/enroll/confirm", { factorId: body.factorId, code: "000000" });
  const code = authenticatorApp(body.uri).code(target.clock());
  const { page: codes } = await submit(newcomer, "/2fa/totp/enroll/confirm", { factorId: body.factorId, code });
  target.clock.advance(STEP);
  const { phone } = await enrolled(target, "alice");
  const waiting = await pending(target, "alice");
  const challenge = await waiting.page("/2fa");
  const paper = await waiting.page("/2fa?method=backup-code");
  const refused = await waiting.form("/2fa/totp", { code: "000000" });
  const owner = await full(target, "alice", phone);
  const settings = await owner.page("/2fa/settings");
  target.clock.advance(3_600_000);
  const stepUp = await owner.form("/2fa/disable");
  const missing = await owner.page("/2fa/nothing-here");
  const must = new Jar(testApp({ options: { policy: "required" } }));
  await must.login("carol");
  const mustEnroll = await must.page("/2fa");
  return { empty, setUp, wrong, codes, challenge, paper, refused, settings, stepUp, missing, mustEnroll };
}

function attributes(html: string, name: string): string[] {
  return [...html.matchAll(new RegExp(`\\s${name}\\s*=\\s*"([^"]*)"`, "gi"))].map(([, value]) => value!);
}

describe("B29 pages that call on third parties", () => {
  test("B29 no page names a foreign host, in any attribute, text or style", async () => {
    const all = await pages();
    for (const [name, { text, type }] of Object.entries(all)) {
      expect([name, type]).toEqual([name, "text/html"]);
      const absolute = (text.match(/(?:[a-z][a-z0-9+.-]*:)?\/\/[^\s"'<>)]+/gi) ?? []).filter(
        (each) => !NAMESPACES.includes(each) && !each.startsWith("otpauth://totp/"),
      );
      expect([name, absolute]).toEqual([name, []]);
      for (const attribute of ["src", "href", "action", "formaction", "srcset", "data", "poster"]) {
        for (const value of attributes(text, attribute)) {
          const isOwn =
            (value.startsWith("/") && !value.startsWith("//")) || value.startsWith("otpauth:") || value.startsWith("#");
          expect([name, attribute, value, isOwn]).toEqual([name, attribute, value, true]);
        }
      }
    }
  });

  test("B29 the QR code is drawn here and stands in the page", async () => {
    const { setUp } = await pages();
    expect(setUp!.text).toMatch(/<svg[^>]*>.*<\/svg>/s);
    expect(setUp!.text).not.toMatch(
      /<(img|image|iframe|object|embed|link[^>]+rel="?(?:preconnect|dns-prefetch|prefetch))/i,
    );
  });

  test("B29 every page works under its own policy: nothing inline, nothing from elsewhere, no frame around it", async () => {
    for (const [name, { headers, text }] of Object.entries(await pages())) {
      const policy = String(headers["content-security-policy"]);
      const rules: Record<string, string[]> = Object.fromEntries(
        policy.split(";").map((rule) => {
          const [directive, ...sources] = rule.trim().split(/\s+/);
          return [directive, sources];
        }),
      );
      expect([name, rules["default-src"]]).toEqual([name, ["'none'"]]);
      expect([name, rules["frame-ancestors"], rules["base-uri"]]).toEqual([name, ["'none'"], ["'none'"]]);
      expect([name, rules["form-action"]]).toEqual([name, ["'self'"]]);
      const loose = Object.values(rules)
        .flat()
        .filter((source) => !["'none'", "'self'"].includes(source));
      expect([name, loose]).toEqual([name, []]);
      expect([name, attributes(text, "style")]).toEqual([name, []]);
      expect([name, text.match(/\son[a-z]+\s*=|<style|javascript:/gi)]).toEqual([name, null]);
      expect([name, text.match(/<script(?![^>]*\ssrc=)/gi)]).toEqual([name, null]);
      expect([name, headers["referrer-policy"], headers["x-content-type-options"]]).toEqual([
        name,
        "same-origin",
        "nosniff",
      ]);
    }
  });

  test("B29 what the pages load is served here, and calls on nobody", async () => {
    const all = await pages();
    const jar = new Jar(testApp());
    const loaded = new Set(
      Object.values(all).flatMap(({ text }) => [
        ...attributes(text, "src"),
        ...[...text.matchAll(/<link[^>]+href="([^"]+)"/gi)].map(([, href]) => href!),
      ]),
    );
    expect(loaded.size).toBeGreaterThanOrEqual(2);
    for (const path of loaded) {
      const { status, text, headers } = await jar.page(path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      const hosts = (text.match(/https?:\/\/[^\s"'`)]+/gi) ?? []).filter((each) => !NAMESPACES.includes(each));
      expect([path, hosts, /@import|XMLHttpRequest|sendBeacon|WebSocket/.test(text)]).toEqual([path, [], false]);
    }
  });
});
