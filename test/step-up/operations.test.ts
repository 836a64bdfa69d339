import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { memoryStore, type Store } from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { enrollWith } from "../passkeys/stage.js";
import { CANARY, testApp, type TestApp } from "../support/app.js";
import {
  cookies,
  distantStore,
  MINUTE,
  NO_LIMITS,
  putCookie,
  SESSION_COOKIE,
  STEP,
  told,
  trusted,
  twoServers,
} from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import {
  asked,
  confirm,
  confirmed,
  field,
  type Field,
  guardedApp,
  LARGE,
  open,
  opens,
  prove,
  ROWS,
  routesFor,
  SEND,
  waiting,
} from "./stage.js";

const UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAA";

/** A memory store whose writes pass this on their way. */
function memoryWith(
  pass: (write: Store["write"], ...given: Parameters<Store["write"]>) => ReturnType<Store["write"]>,
): Store {
  const inner = memoryStore();
  return {
    read: (key) => inner.read(key),
    remove: (key, options) => inner.remove(key, options),
    write: (...given) => pass((...passed) => inner.write(...passed), ...given),
    useClock: (clock) => inner.useClock?.(clock),
  };
}

/** alice in a browser she trusts, who has proved nothing in it. */
async function inTrustedBrowser(): Promise<Field> {
  const here = await field();
  const jar = await trusted(here.target, "alice", here.phone);
  await jar.post("/logout");
  await jar.login("alice");
  return { ...here, jar };
}

describe("an operation that is asked for", () => {
  test("is told whole in the refusal, in the list and on its page, with the id that a proof must carry", async () => {
    const { jar, target } = await field();
    const answer = await jar.post("/transfer", SEND);
    const { id } = answer.body.operation as { id: string };
    expect([answer.status, answer.body]).toMatchObject([
      401,
      { code: "step-up-required", location: `/2fa?operation=${id}`, maxAge: 300 },
    ]);
    expect(answer.body.operation).toEqual({ id: expect.stringMatching(/^[\w-]{22}$/), text: "Send 5 to bob" });
    const expiresAt = new Date(target.clock() + 10 * MINUTE).toISOString();
    expect(await waiting(jar)).toEqual([{ id, text: "Send 5 to bob", expiresAt }]);
    expect((await jar.get(`/2fa?operation=${id}`)).body).toMatchObject({ operation: { id, text: "Send 5 to bob" } });
    const page = (await jar.page(`/2fa?operation=${id}`)).text;
    expect(page).toContain("Send 5 to bob");
    expect(page).toContain(`<input type="hidden" name="operation" value="${id}" />`);
  });

  test("sends a browser to its own page, and back to where it was asked for", async () => {
    const { jar, phone, target } = await field();
    const refused = await jar.form("/transfer", SEND).set("Referer", "http://localhost:3000/pay?to=bob");
    expect([refused.status, refused.headers.location]).toMatchObject([
      303,
      expect.stringMatching(/^\/2fa\?operation=/),
    ]);
    const operation = refused.headers.location!.split("=")[1];
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()), operation });
    expect([proved.status, proved.headers.location]).toEqual([303, "/pay?to=bob"]);
    expect((await jar.form("/transfer", SEND)).text).toContain(CANARY);
  });

  test("is one and the same when it is asked for again, until half of its time is over: then it has all of it again", async () => {
    const { jar, target } = await field();
    const first = await asked(jar);
    expect(await asked(jar)).toEqual(first);
    target.clock.advance(6 * MINUTE);
    expect(await asked(jar)).toEqual(first);
    const expiresAt = new Date(target.clock() + 10 * MINUTE).toISOString();
    expect(await waiting(jar)).toEqual([{ ...first, expiresAt }]);
  });

  test("is not asked for in a login that is not complete, nor by nobody", async () => {
    const { target } = await field();
    const jar = await pending(target, "alice");
    for (const each of [jar, new Jar(target)])
      expect((await each.post("/transfer", SEND)).body.operation).toBeUndefined();
    expect(await waiting(jar)).toBeUndefined();
  });

  test("waits for ten minutes, and no longer", async () => {
    const here = await field();
    const [first, second] = [await asked(here.jar), await asked(here.jar, LARGE)];
    here.target.clock.advance(10 * MINUTE - STEP - 1);
    expect(await confirm(here, first)).toBe(200);
    here.target.clock.advance(1);
    expect(await waiting(here.jar)).toEqual([]);
    expect(await confirm(here, second)).toBe(410);
  });

  test("is one of five at most: the oldest is dropped, and its id is worth nothing any more", async () => {
    const here = await field();
    const all = [];
    for (const to of ["a", "b", "c", "d", "e", "f"]) all.push(await asked(here.jar, { ...SEND, to }));
    expect((await waiting(here.jar)).map(({ id }) => id)).toEqual(all.slice(1).map(({ id }) => id));
    expect(await confirm(here, all[0]!)).toBe(410);
    expect(await confirm(here, all[1]!)).toBe(200);
    expect(await opens(here.jar, "/transfer", { ...SEND, to: "b" })).toBe(true);
  });

  test("is not lost to others that are refused at the same moment, over two servers; equal ones are one", async () => {
    const { store, lost } = distantStore();
    const [first, second] = twoServers({ store, routes: routesFor(ROWS) });
    const { phone } = await enrolled(first, "alice");
    const jar = await full(first, "alice", phone);
    const jars = [first, second].map((target) => {
      const copy = new Jar(target);
      putCookie(copy, SESSION_COOKIE, cookies(jar)[SESSION_COOKIE]!);
      return copy;
    });
    const recipients = ["a", "b", "c", "d", "e", "a", "b", "c", "d", "e"];
    const ids = await Promise.all(
      recipients.map(async (to, index) => (await asked(jars[index % 2]!, { ...SEND, to })).id),
    );
    expect(lost()).toBeGreaterThan(0);
    expect(ids.slice(5)).toEqual(ids.slice(0, 5));
    expect((await waiting(jar)).map(({ id }) => id).toSorted()).toEqual([...new Set(ids)].toSorted());
  });

  test("lies readable in no session and in no store", async () => {
    const values: string[] = [];
    const watched = memoryWith((write, ...given) => {
      values.push(given[1]);
      return write(...given);
    });
    const here = await field({ store: watched });
    await confirmed(here, { ...SEND, to: "bob-the-recipient" });
    const sessions = await new Promise((resolve, reject) => {
      here.target.sessionStore.all!((error, all) => {
        if (error) reject(error instanceof Error ? error : new Error(String(error)));
        else resolve(all);
      });
    });
    expect(JSON.stringify([sessions, values, here.target.events])).not.toContain("bob-the-recipient");
  });
});

describe("a proof with the id of an operation", () => {
  test("in one tab pays what that tab shows, whatever another tab or site has asked for since", async () => {
    const here = await field();
    const small = (await here.jar.form("/transfer", SEND)).headers.location!;
    const large = (await here.jar.form("/transfer", LARGE)).headers.location!;
    await here.jar.page("/fresh").set("Sec-Fetch-Site", "cross-site");
    expect((await here.jar.page(small)).text).toContain("Send 5 to bob");
    expect((await here.jar.page(small)).text).not.toContain("mallory");
    const code = here.phone.code(here.target.clock());
    expect((await here.jar.form("/2fa/totp", { code, operation: small.split("=")[1] })).status).toBe(303);
    expect(await opens(here.jar, "/transfer", LARGE)).toBe(false);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
    expect((await here.jar.page(large)).text).toContain("Send 1000 to mallory");
  });

  test("opens several that wait side by side, each by its own, in any order", async () => {
    const here = await field();
    const [first, second] = [await asked(here.jar), await asked(here.jar, LARGE)];
    expect([await confirm(here, second), await confirm(here, first)]).toEqual([200, 200]);
    expect(await waiting(here.jar)).toEqual([]);
    for (const body of [SEND, LARGE]) expect(await opens(here.jar, "/transfer", body)).toBe(true);
  });

  test("opens it once", async () => {
    const here = await field();
    await confirmed(here);
    const opened = [];
    for (let times = 0; times < 3; times += 1) opened.push(await opens(here.jar, "/transfer", SEND));
    expect(opened).toEqual([true, false, false]);
  });

  test("is asked for anew by the next operation of the same words, under another id", async () => {
    const here = await field();
    const first = await confirmed(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
    const second = await confirmed(here);
    expect(second.id).not.toBe(first.id);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test.each<readonly [string, string, object]>([
    ["another amount", "/transfer", { ...SEND, amount: "5000" }],
    ["another recipient", "/transfer", { ...SEND, to: "mallory" }],
    ["another route", "/payout", SEND],
  ])("opens no other: %s", async (_says, path, body) => {
    const here = await field();
    await confirmed(here);
    expect(await opens(here.jar, path, body)).toBe(false);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("opens no other verb of the route", async () => {
    const here = await field();
    await confirmed(here);
    const answer = await here.jar.agent.put("/transfer").set("Accept", "application/json").send(SEND);
    expect(answer.text).not.toContain(CANARY);
  });

  test("opens no router that looks like the one it was given at but is mounted elsewhere", async () => {
    const target = testApp({
      routes(app, mfa) {
        // In the routers themselves every path and every value is the same.
        for (const place of ["/approve", "/delete"]) {
          app.use(place, mfa.require({ bind: (req) => `Document ${req.path.slice(1)}` }), open);
        }
      },
    });
    const factor = await enrolled(target, "alice");
    const here = { target, ...factor, jar: await full(target, "alice", factor.phone) };
    expect(await confirm(here, await asked(here.jar, {}, "/approve/7"))).toBe(200);
    expect(await opens(here.jar, "/delete/7", {})).toBe(false);
    expect(await opens(here.jar, "/approve/8", {})).toBe(false);
    expect(await opens(here.jar, "/approve/7", {})).toBe(true);
  });

  test.each([
    ["a verified login", field, "verified"],
    ["a trusted browser", inTrustedBrowser, "trusted-device"],
  ])(
    "leaves %s as it is: its status, when it was last verified, and what else it opens",
    async (_who, enter, status) => {
      const here = await enter();
      here.target.clock.advance(16 * MINUTE);
      const before = (await here.jar.get("/2fa")).body;
      const guarded = Object.keys(ROWS).filter((path) => path !== "/transfer");
      const opened = await Promise.all(guarded.map((path) => opens(here.jar, path)));
      const { headers, session } = { headers: await verifiedAt(here), session: cookies(here.jar)[SESSION_COOKIE] };
      await confirmed(here);
      expect((await here.jar.get("/2fa")).body).toMatchObject({ status, methods: before.methods });
      expect(await verifiedAt(here)).toEqual(headers);
      expect(cookies(here.jar)[SESSION_COOKIE]).toBe(session);
      expect(await Promise.all(guarded.map((path) => opens(here.jar, path)))).toEqual(opened);
      expect((await here.jar.post("/2fa/disable")).body.code).toBe("step-up-required");
      expect((await here.jar.post("/2fa/backup-codes")).body.code).toBe("step-up-required");
      expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
      expect(told("step-up", here.target)).toBe(1);
    },
  );

  test("opens it for a user whom the policy exempts, and makes nothing else of the login", async () => {
    let decision: "optional" | "exempt" = "optional";
    const target = guardedApp(ROWS, { options: { policy: () => decision } });
    const factor = await enrolled(target, "alice");
    decision = "exempt";
    const here = { target, ...factor, jar: await pending(target, "alice") };
    await confirmed(here);
    expect((await here.jar.get("/2fa")).body.status).toBe("not-enrolled");
    expect(await opens(here.jar, "/proved")).toBe(false);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("opens it in a login from before the middleware, of which the session says nothing yet", async () => {
    let decision: "optional" | "exempt" = "optional";
    const target = guardedApp(ROWS, {
      options: { policy: () => decision },
      before: (app) => {
        app.post("/old-login", (req, res, next) => {
          req.logIn({ id: "u1", name: "alice", email: "alice@acme.test" }, (error: unknown) => {
            if (error === undefined || error === null) res.status(204).end();
            else next(error);
          });
        });
      },
    });
    const factor = await enrolled(target, "alice");
    decision = "exempt";
    const here = { target, ...factor, jar: new Jar(target) };
    expect((await here.jar.post("/old-login")).status).toBe(204);
    // Until there is a record nothing can be tied to the login; any proof makes one.
    if ((await here.jar.post("/transfer", SEND)).body.operation === undefined) await prove(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
    await confirmed(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("trusts no browser, whatever it asks besides", async () => {
    const here = await field();
    const { id } = await asked(here.jar);
    here.target.clock.advance(STEP);
    await here.jar.verify(here.phone.code(here.target.clock()), { operation: id, trustDevice: true });
    expect((await here.jar.get("/2fa/settings")).body.devices).toEqual([]);
  });

  test.each([
    [5 * MINUTE, true],
    [5 * MINUTE + 1, false],
  ])("is good for %i ms: %s", async (after, expected) => {
    const here = await field();
    await confirmed(here);
    here.target.clock.advance(after);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(expected);
  });

  test("is good for as long as the route says, where it says so", async () => {
    const here = await field();
    await confirm(here, await asked(here.jar, SEND, "/transfer-within-the-hour"));
    here.target.clock.advance(60 * MINUTE);
    expect(await opens(here.jar, "/transfer-within-the-hour", SEND)).toBe(true);
  });

  test("is worth nothing once the factor it was given with is gone", async () => {
    const here = await field();
    expect((await enrollWith(here.jar, softwareAuthenticator())).status).toBe(201);
    await confirmed(here);
    expect((await here.jar.post(`/2fa/factors/${here.factorId}/remove`)).status).toBe(204);
    expect(await opens(here.jar, "/proved")).toBe(true);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
  });

  test("raced thirty wide over two servers opens it exactly once", async () => {
    const { store, lost } = distantStore();
    const [first, second] = twoServers({ store, routes: routesFor(ROWS), options: { limits: NO_LIMITS } });
    const factor = await enrolled(first, "alice");
    const jar = await full(first, "alice", factor.phone);
    await confirmed({ target: first, ...factor, jar });
    const jars = Array.from({ length: 30 }, (_none, index) => {
      const copy = new Jar(index % 2 === 0 ? first : second);
      putCookie(copy, SESSION_COOKIE, cookies(jar)[SESSION_COOKIE]!);
      return copy;
    });
    const answers = await Promise.all(jars.map((each) => each.post("/transfer", SEND)));
    expect(answers.filter(({ text }) => text.includes(CANARY))).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(29);
    expect(lost()).toBeGreaterThan(0);
  });

  test("given twice at once, by a code of each kind, opens it for one of them", async () => {
    const here = await field({ store: distantStore().store });
    const { id } = await asked(here.jar);
    here.target.clock.advance(STEP);
    const proofs = [
      here.jar.verify(here.phone.code(here.target.clock()), { operation: id }),
      here.jar.post("/2fa/backup-code", { code: here.backupCodes[0], operation: id }),
    ];
    const statuses = (await Promise.all(proofs)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 410]);
    expect([await opens(here.jar, "/transfer", SEND), await opens(here.jar, "/transfer", SEND)]).toEqual([true, false]);
  });
});

async function verifiedAt({ jar }: Field): Promise<unknown> {
  const { sessions } = (await jar.get("/2fa/settings")).body as {
    sessions: { current: boolean; verifiedAt: unknown }[];
  };
  return sessions.find(({ current }) => current)?.verifiedAt;
}

describe("a proof without an id", () => {
  test("opens no operation, and is the proof of the login", async () => {
    const here = await field();
    here.target.clock.advance(16 * MINUTE);
    const operation = await asked(here.jar);
    await prove(here);
    expect(await opens(here.jar, "/fresh")).toBe(true);
    expect(await asked(here.jar)).toEqual(operation);
  });

  test("is not swallowed by an operation that was left alone: what it was given for is done", async () => {
    const here = await field();
    here.target.clock.advance(16 * MINUTE);
    await here.jar.form("/transfer", SEND);
    expect((await here.jar.form(`/2fa/factors/${here.factorId}/rename`, { label: "mine" })).status).toBe(401);
    const proved = await here.jar.form("/2fa/totp", { code: here.phone.code(here.target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/2fa/settings"]);
    expect((await here.jar.form(`/2fa/factors/${here.factorId}/rename`, { label: "mine" })).status).toBe(303);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
  });

  test("by one more factor that is set up confirms nothing that waits", async () => {
    const { jar } = await field();
    const operation = await asked(jar);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
    expect(await asked(jar)).toEqual(operation);
  });
});

describe("an id that is not there", () => {
  const cases: readonly (readonly [string, (here: Field) => Promise<string>])[] = [
    ["that nobody was given", async () => UNKNOWN],
    ["of no kind that ids are", async () => ""],
    [
      "of an operation that was done",
      async (here) => {
        const { id } = await confirmed(here);
        await opens(here.jar, "/transfer", SEND);
        return id;
      },
    ],
    ["of one that is confirmed already", async (here) => (await confirmed(here)).id],
    [
      "of another login of the same user",
      async ({ phone, target }) => (await asked(await full(target, "alice", phone))).id,
    ],
    [
      "of another user",
      async ({ target }) => {
        const { phone } = await enrolled(target, "mallory");
        return (await asked(await full(target, "mallory", phone))).id;
      },
    ],
  ];

  test.each(cases)("%s is 410: nothing is compared, counted or used up", async (_which, idFor) => {
    const here = await field();
    const operation = await idFor(here);
    const failed = told("factor-failed", here.target);
    here.target.clock.advance(STEP);
    const code = here.phone.code(here.target.clock());
    for (const guess of [...Array<string>(6).fill("000000"), code]) {
      const answer = await here.jar.verify(guess, { operation });
      expect([answer.status, answer.body.code]).toEqual([410, "expired"]);
    }
    expect((await here.jar.post("/2fa/backup-code", { code: here.backupCodes[0], operation })).status).toBe(410);
    expect((await here.jar.get(`/2fa?operation=${operation}`)).status).toBe(410);
    expect(told("factor-failed", here.target)).toBe(failed);
    expect((await here.jar.verify(code)).status).toBe(200);
    expect((await here.jar.post("/2fa/backup-code", { code: here.backupCodes[0] })).status).toBe(200);
  });

  test("is 410 for a login that is pending too, which waits on for its factor", async () => {
    const here = await field();
    const { id } = await asked(here.jar);
    const jar = await pending(here.target, "alice");
    const code = here.phone.code(here.target.clock());
    expect((await jar.verify(code, { operation: id })).status).toBe(410);
    expect((await jar.post("/2fa/cancel", { operation: id })).status).toBe(410);
    expect((await jar.verify(code)).status).toBe(200);
  });

  test.each([
    ["a list", ["a", "b"]],
    ["an object", { id: "a" }],
    ["a number", 7],
    ["too long", "a".repeat(2_000)],
  ])("%s is no id: 400, and nothing is counted", async (_kind, operation) => {
    const here = await field();
    for (const path of ["/2fa/totp", "/2fa/passkey/options", "/2fa/cancel"]) {
      expect([path, (await here.jar.post(path, { code: "000000", operation })).status]).toEqual([path, 400]);
    }
    expect(told("factor-failed", here.target)).toBe(0);
  });

  test("is told on a page from where a browser gets on, signed in as it is", async () => {
    const { jar } = await field();
    for (const page of [await jar.page(`/2fa?operation=${UNKNOWN}`), await jar.page("/2fa?operation=a&operation=b")]) {
      expect([page.status, page.text.includes('href="/2fa/settings"')]).toEqual([410, true]);
    }
    expect((await jar.form("/2fa/totp", { code: "000000", operation: UNKNOWN })).status).toBe(410);
    expect(await jar.isIn()).toBe(true);
  });
});

describe("turning away from an operation", () => {
  test("ends that one: its id is worth nothing, confirmed or not, and the others wait on", async () => {
    const here = await field();
    const [first, second] = [await asked(here.jar), await asked(here.jar, LARGE)];
    expect((await here.jar.post("/2fa/cancel", { operation: first.id })).status).toBe(204);
    expect(await confirm(here, first)).toBe(410);
    expect((await waiting(here.jar)).map(({ id }) => id)).toEqual([second.id]);
    expect(await confirm(here, second)).toBe(200);
    expect((await here.jar.post("/2fa/cancel", { operation: second.id })).status).toBe(204);
    expect(await opens(here.jar, "/transfer", LARGE)).toBe(false);
  });

  test("twice, or from one that nobody asked for, is 410", async () => {
    const { jar } = await field();
    const { id: operation } = await asked(jar);
    const statuses = [];
    for (const each of [operation, operation, UNKNOWN]) {
      statuses.push((await jar.post("/2fa/cancel", { operation: each })).status);
    }
    expect(statuses).toEqual([204, 410, 410]);
  });

  test("in a browser leads to the settings, and signs nobody out", async () => {
    const { jar } = await field();
    const { id } = await asked(jar);
    const answer = await jar.form("/2fa/cancel", { operation: id });
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa/settings"]);
    expect(await jar.isIn()).toBe(true);
  });

  test("without an id touches none", async () => {
    const { jar } = await field();
    const operation = await asked(jar);
    expect((await jar.post("/2fa/cancel")).status).toBe(204);
    expect(await asked(jar)).toEqual(operation);
  });
});

describe("when something fails on the way", () => {
  /** A store whose operations alone cannot be written. */
  function withoutOperations(): { readonly store: Store; readonly failing: { now: boolean } } {
    const failing = { now: false };
    const store = memoryWith((write, ...given) =>
      failing.now && given[0].startsWith("operations:")
        ? Promise.reject(new Error("The cable is cut"))
        : write(...given),
    );
    return { store, failing };
  }

  const KEYS = { options: { keys: `test:${randomBytes(32).toString("base64")}` } };

  test("between the proof and the operation: the proof is used up, nothing is open, and the next one opens it", async () => {
    const { failing, store } = withoutOperations();
    const here = await field({ store, ...KEYS });
    const operation = await asked(here.jar);
    failing.now = true;
    expect(await confirm(here, operation)).toBe(503);
    failing.now = false;
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
    expect((await here.jar.verify(here.phone.code(here.target.clock()), { operation: operation.id })).status).toBe(401);
    expect(await confirm(here, operation)).toBe(200);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("a confirmed operation is not done while the store is away, and is when it is back", async () => {
    const store = faultyStore();
    const here = await field({ store, ...KEYS });
    await confirmed(here);
    store.fail("remove", REJECTS);
    expect((await here.jar.post("/transfer", SEND)).status).toBe(503);
    store.heal();
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("a text that no key opens any more counts as none: the page goes on, and the operation is asked for anew", async () => {
    const [old, fresh] = ["2025-01", "2026-11"].map((id) => `${id}:${randomBytes(32).toString("base64")}`);
    const before = await field({ options: { keys: old! } });
    const { id } = await asked(before.jar);
    const { clock, sessionStore, store } = before.target;
    const rotating = guardedApp(ROWS, { clock, sessionStore, store, options: { keys: `${fresh},${old}` } });
    await rotating.mfa.rotateKeys();
    const after: TestApp = guardedApp(ROWS, { clock, sessionStore, store, options: { keys: fresh! } });
    const jar = new Jar(after);
    putCookie(jar, SESSION_COOKIE, cookies(before.jar)[SESSION_COOKIE]!);
    expect([(await jar.get("/2fa")).status, await waiting(jar)]).toEqual([200, []]);
    expect((await jar.page("/2fa?confirm")).status).toBe(200);
    expect((await jar.page(`/2fa?operation=${id}`)).status).toBe(410);
    expect((await asked(jar)).id).not.toBe(id);
  });

  test("a new key to write with changes nothing for operations that wait or are confirmed, on servers of either order", async () => {
    const [old, fresh] = ["2025-01", "2026-11"].map((id) => `${id}:${randomBytes(32).toString("base64")}`);
    const here = await field({ options: { keys: `${old},${fresh}` } });
    const { clock, sessionStore, store } = here.target;
    const target = guardedApp(ROWS, { clock, sessionStore, store, options: { keys: `${fresh},${old}` } });
    const there = { ...here, target, jar: new Jar(target) };
    putCookie(there.jar, SESSION_COOKIE, cookies(here.jar)[SESSION_COOKIE]!);

    await confirmed(here);
    const { id } = await asked(here.jar, LARGE);
    expect(await opens(there.jar, "/transfer", SEND)).toBe(true);
    expect([(await asked(there.jar, LARGE)).id, await waiting(there.jar)]).toMatchObject([id, [{ id }]]);
    await confirmed(there);
    expect(await opens(here.jar, "/transfer", LARGE)).toBe(false);
    expect(await confirm(there, { id })).toBe(200);
    expect([await opens(here.jar, "/transfer", LARGE), await opens(here.jar, "/transfer", SEND)]).toEqual([true, true]);
  });

  test("a text that was moved to another operation is not shown as that one's", async () => {
    const keys = new Set<string>();
    const store = memoryWith((write, ...given) => {
      keys.add(given[0]);
      return write(...given);
    });
    const { jar } = await field({ store, ...KEYS });
    await asked(jar);
    await asked(jar, LARGE);
    const key = [...keys].find((each) => each.startsWith("operations:"))!;
    const { value, version } = (await store.read(key))!;
    const [one, other] = JSON.parse(value) as { sealed: string }[];
    const swapped = [
      { ...one, sealed: other!.sealed },
      { ...other, sealed: one!.sealed },
    ];
    await store.write(key, JSON.stringify(swapped), { expect: version });
    expect(await waiting(jar)).toEqual([]);
  });

  test("an entry that was damaged counts as none: nothing is open, and the operation is asked for anew", async () => {
    const keys = new Set<string>();
    const store = memoryWith((write, ...given) => {
      keys.add(given[0]);
      return write(...given);
    });
    const here = await field({ store, ...KEYS });
    await confirmed(here);
    for (const key of [...keys].filter((each) => each.startsWith("operations:"))) {
      for (const damage of ["{", "{}", "null"]) {
        await store.write(key, damage, { expect: (await store.read(key))!.version });
        expect((await here.jar.get("/2fa")).status).toBe(200);
      }
    }
    await confirmed(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });
});
