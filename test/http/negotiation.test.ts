import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { prefersHtml } from "../../lib/http/negotiation.js";
import { testApp } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";

function prefers(accept?: string): boolean {
  const headers = accept === undefined ? {} : { accept };
  return prefersHtml({ headers } as unknown as IncomingMessage);
}

describe("a page is preferred", () => {
  test.each([
    ["Firefox", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["Firefox, older", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"],
    [
      "Chrome",
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    ],
    ["Safari", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["Lynx", "text/html, text/plain, text/sgml, */*;q=0.01"],
    ["who takes text only", "text/*"],
    ["who weighs", "application/json;q=0.8, text/html;q=0.9"],
    ["who shouts", "TEXT/HTML"],
    ["who gives parameters", "text/html;level=1;q=0.5"],
    ["who takes text and a little of everything", "text/*;q=0.5, */*;q=0.1"],
    ["who refuses JSON", "*/*, application/json;q=0"],
  ])("by %s", (_name, accept) => {
    expect(prefers(accept)).toBe(true);
  });
});

describe("JSON is given", () => {
  test.each<[string, string | undefined]>([
    ["who says nothing", undefined],
    ["who says nothing in words", ""],
    ["who takes everything", "*/*"],
    ["who takes both alike", "text/html, application/json"],
    ["who takes both alike, the other way round", "application/json, text/html"],
    ["who weighs both alike", "text/html;q=0.5, application/json;q=0.5"],
    ["who prefers it", "application/json, text/html;q=0.9"],
    ["axios", "application/json, text/plain, */*"],
    ["who refuses pages", "text/html;q=0, */*"],
    ["who takes neither", "image/png"],
    ["who takes any application", "application/*, text/html;q=0.5"],
    ["who weighs in words", "text/html;q=high"],
    ["who takes pages of another kind", "application/xhtml+xml"],
    ["who refuses everything", "*/*;q=0"],
  ])("to %s", (_name, accept) => {
    expect(prefers(accept)).toBe(false);
  });
});

describe("the login answer, the gate and the routes use one rule:", () => {
  test.each<[string | undefined, boolean]>([
    ["text/html", true],
    ["text/html,application/xhtml+xml,*/*;q=0.8", true],
    ["*/*", false],
    ["application/json, text/html", false],
    [undefined, false],
  ])("Accept: %s", async (accept, isPage) => {
    const target = testApp();
    await enrolled(target, "alice");
    const ask = (request: ReturnType<Jar["get"]>) =>
      accept === undefined ? request.unset("Accept") : request.set("Accept", accept);
    const { agent } = new Jar(target);
    const login = await ask(agent.post("/login").send({ username: "alice", password: "alice-password" }));
    const gate = await ask(agent.get("/account"));
    const route = await ask(agent.get("/2fa"));
    const wrong = await ask(agent.post("/2fa/totp").set("Sec-Fetch-Site", "same-origin").send({ code: "000000" }));
    expect([login.status, gate.status, route.status, wrong.status]).toEqual(
      isPage ? [303, 303, 200, 401] : [401, 401, 200, 401],
    );
    for (const answer of [route, wrong]) expect(answer.headers["content-type"]).toMatch(isPage ? /html/ : /json/);
    for (const answer of [login, gate, route, wrong]) expect(answer.headers.vary).toMatch(/Accept/);
  });

  test("and never mind what a body is made of", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.agent
      .post("/2fa/totp")
      .type("form")
      .set({ Accept: "application/json", "Sec-Fetch-Site": "same-origin" })
      .send({ code: phone.code(target.clock()) });
    expect([answer.status, answer.body.status]).toEqual([200, "verified"]);
  });
});
