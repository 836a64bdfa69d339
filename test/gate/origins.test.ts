import { describe, expect, test } from "@jest/globals";
import { passwordOf, testApp } from "../support/app.js";
import { enrolled, Jar } from "../support/browser.js";

const ORIGINS = ["https://acme.test", "https://app.acme.test", "capacitor://localhost", "https://localhost"];

async function waiting() {
  const target = testApp({ options: { origin: () => ORIGINS } });
  const { phone } = await enrolled(target, "alice");
  const jar = new Jar(target);
  await jar.login("alice");
  return { jar, target, code: () => phone.code(target.clock()) };
}

describe("a write from a listed origin is taken, whatever else the browser says of it:", () => {
  test.each(
    ORIGINS.flatMap((origin) =>
      ["same-origin", "same-site", "cross-site", "none", undefined].map((site) => [origin, site] as const),
    ),
  )("%s, %s", async (origin, site) => {
    const { code, jar } = await waiting();
    const headers = { Origin: origin, ...(site !== undefined && { "Sec-Fetch-Site": site }) };
    expect((await jar.verify(code()).set(headers)).status).toBe(200);
  });
});

describe("of a write that hides its origin Sec-Fetch-Site speaks:", () => {
  test.each([
    ["same-origin", 200],
    ["none", 200],
    ["same-site", 403],
    ["cross-site", 403],
    [undefined, 403],
  ])("%s: %i", async (site, status) => {
    const { code, jar } = await waiting();
    const headers = { Origin: "null", ...(site !== undefined && { "Sec-Fetch-Site": site }) };
    expect((await jar.verify(code()).set(headers)).status).toBe(status);
  });
});

describe("an origin that is not listed is refused, whatever else the browser says of it:", () => {
  test.each([
    "capacitor://localhost:1",
    "capacitor://evil",
    "ionic://localhost",
    "http://localhost",
    "https://localhost:8443",
    "file://",
  ])("%s", async (origin) => {
    const { code, jar } = await waiting();
    for (const site of ["same-origin", "same-site", "cross-site"])
      expect((await jar.verify(code()).set({ Origin: origin, "Sec-Fetch-Site": site })).body.code).toBe(
        "cross-site-request",
      );
  });
});

describe("an app's own origin", () => {
  test("is no place to be led to", async () => {
    const { jar, target } = await waiting();
    expect((await jar.page("/account")).headers.location).toBe("/2fa");
    const wish = testApp({
      options: { origin: () => ["capacitor://localhost"], exempt: ["/login"] },
      before: (app) =>
        app.use((req, _res, next) => {
          (req.session as unknown as { returnTo: unknown }).returnTo = "capacitor://evil/x";
          next();
        }),
    });
    const { phone } = await enrolled(wish, "alice");
    const visitor = new Jar(wish);
    await visitor.post("/login", { username: "alice", password: passwordOf("alice") });
    const answer = await visitor.verify(phone.code(wish.clock()));
    expect(answer.body.redirectTo).toBe("/");
    expect(target.events.length).toBeGreaterThan(0);
  });
});
