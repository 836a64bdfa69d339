import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, Jar } from "../support/browser.js";
import {
  cookies,
  copyOf,
  MODES,
  passworded,
  putCookie,
  send,
  SESSION_COOKIE,
  STEP,
  twoServers,
} from "../support/attack.js";

function sessionId(jar: Jar): string | undefined {
  return cookies(jar)[SESSION_COOKIE];
}

/** The same cookies, presented at another server. */
function at(server: TestApp, id: string | undefined): Jar {
  const jar = new Jar(server);
  if (id !== undefined) putCookie(jar, SESSION_COOKIE, id);
  return jar;
}

/** Nothing opens with these ids on any of the servers, and none of them is a pending login either. */
async function expectDead(servers: readonly TestApp[], ids: readonly (string | undefined)[]): Promise<void> {
  for (const server of servers) {
    for (const id of ids) {
      const jar = at(server, id);
      expect(await jar.isIn()).toBe(false);
      expect((await jar.get("/")).body.status).toBe("anonymous");
    }
  }
}

describe("B33 a session id known before the login", () => {
  test.each(MODES)(
    "B33 the id changes at the first step, the second and each step-up, and old ids are dead everywhere (%s)",
    async (mode) => {
      const servers = twoServers({
        before: (app) => app.get("/visit", (req, res) => void res.json(Object.assign(req.session, { visited: true }))),
      });
      const [server] = servers;
      const { phone } = await enrolled(server, "alice");
      const jar = new Jar(server);
      await jar.get("/visit");
      const ids: (string | undefined)[] = [sessionId(jar)];
      expect(ids[0]).toBeDefined();

      await send(jar, mode, "/login", { username: "alice", password: "alice-password" });
      ids.push(sessionId(jar));
      await expectDead(servers, ids.slice(0, -1));
      for (let proof = 0; proof < 3; proof += 1) {
        await send(jar, mode, "/2fa/totp", { code: phone.code(server.clock()) });
        server.clock.advance(STEP);
        ids.push(sessionId(jar));
        expect(await jar.isIn()).toBe(true);
        await expectDead(servers, ids.slice(0, -1));
      }
      expect(new Set(ids).size).toBe(5);
      expect(await at(servers[1], ids.at(-1)).isIn()).toBe(true);
    },
  );

  test("B33 an id planted before the password knows nothing of the login", async () => {
    const target = testApp({
      before: (app) => app.get("/visit", (req, res) => void res.json(Object.assign(req.session, { visited: true }))),
    });
    const { phone } = await enrolled(target, "alice");
    const attacker = new Jar(target);
    await attacker.get("/visit");
    const victim = copyOf(attacker);
    await victim.login("alice");
    expect((await victim.verify(phone.code(target.clock()))).status).toBe(200);
    expect([await victim.isIn(), await attacker.isIn()]).toEqual([true, false]);
    expect((await attacker.get("/2fa")).status).toBe(401);
  });

  test("B33 an id stolen while the login is pending is worth nothing once it is complete", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const victim = await passworded(target, "JSON", "alice");
    const thief = copyOf(victim);
    expect((await victim.verify(phone.code(target.clock()))).status).toBe(200);
    target.clock.advance(STEP);
    expect(await thief.isIn()).toBe(false);
    expect((await thief.verify(phone.code(target.clock()))).status).toBe(401);
    expect(await thief.isIn()).toBe(false);
  });

  test("B33 the id changes with an enrollment and with every change that ends other logins", async () => {
    const servers = twoServers();
    const [server] = servers;
    const jar = await passworded(server, "JSON", "carol");
    const ids = [sessionId(jar)];
    const { body } = await jar.post("/2fa/totp/enroll");
    const code = authenticatorApp(body.uri).code(server.clock());
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId: body.factorId, code })).status).toBe(201);
    ids.push(sessionId(jar));
    expect((await jar.post("/2fa/sessions/revoke-others")).status).toBe(204);
    ids.push(sessionId(jar));
    expect((await jar.post("/2fa/disable")).status).toBe(204);
    ids.push(sessionId(jar));
    expect(new Set(ids).size).toBe(4);
    await expectDead(servers, ids.slice(0, -1));
    expect(await jar.isIn()).toBe(true);
  });

  test("B33 the id changes where a trusted browser completes the login", async () => {
    const servers = twoServers();
    const [server] = servers;
    const { phone } = await enrolled(server, "alice");
    const jar = await passworded(server, "JSON", "alice");
    await jar.verify(phone.code(server.clock()), { trustDevice: true });
    await jar.post("/logout");
    const before = sessionId(jar);
    await jar.login("alice");
    expect(await jar.isIn()).toBe(true);
    expect(sessionId(jar)).not.toBe(before);
    await expectDead(servers, [before]);
  });

  test("B33 thirty proofs in one moment leave one id alive", async () => {
    const [server, second] = twoServers();
    const { phone } = await enrolled(server, "alice");
    const first = await passworded(server, "JSON", "alice");
    const jars = Array.from({ length: 30 }, (_none, index) => at([server, second][index % 2]!, sessionId(first)));
    const code = phone.code(server.clock());
    const answers = await Promise.all(jars.map((jar) => jar.verify(code)));
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const open = await Promise.all(jars.map((jar) => jar.isIn()));
    expect(open.filter(Boolean)).toHaveLength(1);
    await expectDead([server, second], [sessionId(first)]);
  });
});
