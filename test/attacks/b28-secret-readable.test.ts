import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, full, Jar } from "../support/browser.js";
import { ask, harmless, MODES, send, STEP, storedAccount } from "../support/attack.js";
import { found, PAGES, spellings, stateRoutes } from "../support/routes.js";
import { submit } from "../support/pages.js";

/** Alice enrolls in a jar that stays in. */
async function justEnrolled(target: TestApp): Promise<{ readonly jar: Jar; readonly factor: Enrolled }> {
  const jar = new Jar(target);
  await jar.login("alice");
  return { jar, factor: await jar.enroll() };
}

/** What is stored of the secrets: they must not come out either. */
async function digests(target: TestApp): Promise<string[]> {
  const record = JSON.parse((await storedAccount(target, "alice"))!) as {
    factors: { state: { secret?: string; salt?: string; digests?: string[] } }[];
  };
  return record.factors
    .flatMap(({ state }) => [state.secret, state.salt, ...(state.digests ?? [])])
    .filter((each) => each !== undefined);
}

const QUERIES = ["", "?method=totp", "?method=backup-code", "?secret=1&show=all&include=state"];

describe("B28 the secret read after its enrollment", () => {
  test.each(MODES)("B28 no page and no answer below /2fa shows it again (%s)", async (mode) => {
    const target = testApp();
    const { jar, factor } = await justEnrolled(target);
    const needles = [...spellings(factor), "otpauth:", ...(await digests(target))];
    expect(needles.length).toBeGreaterThan(90);
    const paths = [
      ...PAGES,
      "/2fa/totp/enroll",
      "/2fa/totp/enroll/confirm",
      "/2fa/backup-codes",
      `/2fa/factors/${factor.factorId}`,
      `/2fa/totp/${factor.factorId}`,
      `/2fa/totp/${factor.factorId}/qr`,
    ];
    for (const path of paths.flatMap((each) => QUERIES.map((query) => each + query))) {
      const answer = harmless(await ask(jar, mode, path));
      expect([path, found(answer.text + JSON.stringify(answer.headers), needles)]).toEqual([path, []]);
    }
  });

  test.each(MODES)("B28 no change, done or refused, shows it again (%s)", async (mode) => {
    const target = testApp();
    const { jar, factor } = await justEnrolled(target);
    const needles = [...spellings(factor), ...(await digests(target))];
    // Switching off comes last in the table, so every other change meets the factor.
    for (const { path, body } of stateRoutes({ factorId: factor.factorId })) {
      if (path === "/2fa/cancel") continue;
      const answer = await send(jar, mode, path, body);
      expect([path, found(answer.text + JSON.stringify(answer.headers), needles)]).toEqual([path, []]);
    }
  });

  test("B28 a wrong first code shows it again to the session that began it, and to no other of its owner", async () => {
    const target = testApp();
    const [jar, other] = [new Jar(target), new Jar(target)];
    await jar.login("alice");
    await other.login("alice");
    const { body } = await jar.post("/2fa/totp/enroll");
    const secret = String(body.secret);
    for (const code of ["000000", "x"]) {
      const shown = [jar, other].map((each) =>
        each.form("/2fa/totp/enroll/confirm", { factorId: body.factorId, code }),
      );
      const [own, foreign] = (await Promise.all(shown)).map(({ text }) => text.replace(/\s/g, ""));
      expect(found(own!, [secret])).toEqual([secret]);
      expect(found(foreign!, [secret, "otpauth:"])).toEqual([]);
    }
  });

  test("B28 neither the application's own calls nor the request's state hold it", async () => {
    const target = testApp({
      routes: (app) =>
        app.get("/state", (req, res) => void res.json({ state: req.secondFactor, session: req.session })),
    });
    const { jar, factor } = await justEnrolled(target);
    const needles = [...spellings(factor), "otpauth:", ...(await digests(target))];
    const { accounts } = target.mfa;
    const told = [await accounts.export("u1"), await accounts.factors("u1"), await accounts.status("u1")];
    expect(found(JSON.stringify(told), needles)).toEqual([]);
    expect(found((await jar.get("/state")).text, needles)).toEqual([]);
  });

  test("B28 enrolling again gives a new secret, new codes, and the old codes are dead", async () => {
    const target = testApp();
    const { jar, factor } = await justEnrolled(target);
    const begun = await jar.post("/2fa/totp/enroll");
    expect(begun.body.secret).not.toBe(factor.phone.secret);
    const code = authenticatorApp(begun.body.uri).code(target.clock());
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code })).status).toBe(201);
    target.clock.advance(STEP);
    const minted = await jar.post("/2fa/backup-codes");
    expect(minted.status).toBe(201);
    expect(found(JSON.stringify(minted.body), factor.backupCodes)).toEqual([]);
    const old = new Jar(target);
    await old.login("alice");
    expect((await old.post("/2fa/backup-code", { code: factor.backupCodes[0] })).status).toBe(401);
    expect(await old.isIn()).toBe(false);
  });

  test("B28 what shows a secret once is kept in no cache", async () => {
    const target = testApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const { page } = await submit(jar, "/2fa/totp/enroll");
    const json = await jar.post("/2fa/totp/enroll");
    const code = authenticatorApp(json.body.uri).code(target.clock());
    const { page: codes } = await submit(jar, "/2fa/totp/enroll/confirm", { factorId: json.body.factorId, code });
    for (const answer of [page, json, codes]) {
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.headers.etag === undefined || !found(answer.headers.etag, [json.body.secret]).length).toBe(true);
    }
    expect(codes.text).toMatch(/[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}/);
    const again = await full(target, "alice", (target.clock.advance(STEP), authenticatorApp(json.body.uri)));
    expect(await again.isIn()).toBe(true);
  });
});
