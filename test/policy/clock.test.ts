import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { copyOf, deviceCookie, HOUR, MINUTE, STEP, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";

/** A server whose clock was ahead while Alice signed in, and is set back by so much. */
const JUST_A_MACHINE = MINUTE;
const SET_BACK = MINUTE + 1;

interface Stage extends Enrolled {
  readonly target: TestApp;
}

async function stage(): Promise<Stage> {
  const target = testApp({
    routes(app, mfa) {
      const answer = (_req: unknown, res: { send(text: string): void }): void => res.send("open");
      app.post("/fresh", mfa.require({ maxAge: "5m" }), answer);
      app.post("/proved", mfa.require(), answer);
      app.post("/bound", mfa.require({ bind: () => "Pay 1 to Ann" }), answer);
    },
  });
  return { target, ...(await enrolled(target, "alice")) };
}

/** The statuses of one thing done after the clock went back by a minute, and by more. */
async function after(prepare: () => Promise<{ target: TestApp; act: () => Promise<number> }>): Promise<number[]> {
  const statuses: number[] = [];
  for (const back of [JUST_A_MACHINE, SET_BACK]) {
    const { act, target } = await prepare();
    target.clock.advance(-back);
    statuses.push(await act());
  }
  return statuses;
}

async function status(answer: PromiseLike<{ readonly status: number }>): Promise<number> {
  return (await answer).status;
}

/** Alice, who gave both factors this very moment. */
async function justIn({ phone, target }: Stage): Promise<Jar> {
  const jar = await pending(target, "alice");
  const answer = await jar.verify(phone.code(target.clock()));
  expect(answer.status).toBe(200);
  return jar;
}

describe("when the clock is set back by more than clocks of several machines differ", () => {
  test.each(["/fresh", "/proved"])("a proof from the future opens no route that asks for one: %s", async (path) => {
    const statuses = await after(async () => {
      const alice = await stage();
      const jar = await justIn(alice);
      return { target: alice.target, act: () => status(jar.post(path)) };
    });
    expect(statuses).toEqual([200, 401]);
  });

  test("a proof from the future opens no operation, and a new one does", async () => {
    const alice = await stage();
    const { phone, target } = alice;
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/bound")).status).toBe(401);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    target.clock.advance(-HOUR);
    expect((await jar.post("/bound")).status).toBe(401);
  });

  test("a proof from the future changes nothing in the settings, for hours", async () => {
    const statuses = await after(async () => {
      const alice = await stage();
      const jar = await justIn(alice);
      return {
        target: alice.target,
        act: () => status(jar.post(`/2fa/factors/${alice.factorId}/rename`, { label: "Phone" })),
      };
    });
    expect(statuses).toEqual([200, 401]);
    const { target, ...alice } = await stage();
    const jar = await justIn({ target, ...alice });
    target.clock.advance(-12 * HOUR);
    for (const path of ["/2fa/backup-codes", "/2fa/disable", `/2fa/factors/${alice.factorId}/remove`]) {
      const answer = await jar.post(path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "step-up-required"]);
    }
  });

  test("a first step from the future sets nothing up", async () => {
    const statuses = await after(async () => {
      const target = testApp();
      const jar = await pending(target, "carol");
      return { target, act: () => status(jar.post("/2fa/totp/enroll")) };
    });
    expect(statuses).toEqual([201, 401]);
  });

  test("a login that waits for its proof since then does not wait until that time comes: it is over", async () => {
    const statuses = await after(async () => {
      const { target } = await stage();
      const jar = await pending(target, "alice");
      return { target, act: () => status(jar.get("/2fa")) };
    });
    expect(statuses).toEqual([200, 410]);
  });

  test("an enrollment begun since then is over, too", async () => {
    const { phone, target } = await stage();
    const jar = await justIn({ phone, target } as Stage);
    const begun = (await jar.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    target.clock.advance(-HOUR);
    // The proof in this login is none any more: another one is given first.
    target.clock.advance(2 * HOUR);
    await jar.verify(phone.code(target.clock()));
    target.clock.advance(-2 * HOUR);
    const code = authenticatorApp(begun.uri).code(target.clock());
    const answer = await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect(answer.status).not.toBe(201);
  });

  test("a browser trusted since then is not trusted for as much longer", async () => {
    for (const [back, expected] of [
      [JUST_A_MACHINE - STEP, 303],
      [SET_BACK, 401],
    ] as const) {
      const { phone, target } = await stage();
      const jar = await trusted(target, "alice", phone);
      const copy = copyOf(jar, [deviceCookie(jar)[0]]);
      target.clock.advance(-STEP - back);
      const answer = await copy.login("alice");
      expect([back, answer.status === 401 ? 401 : 303]).toEqual([back, expected]);
    }
  });

  test("a used token of a trusted browser has no grace of hours", async () => {
    const { phone, target } = await stage();
    const jar = await trusted(target, "alice", phone);
    const old = copyOf(jar, [deviceCookie(jar)[0]]);
    target.clock.advance(HOUR);
    expect((await jar.login("alice")).status).not.toBe(401);
    target.clock.advance(-HOUR / 2);
    expect((await old.login("alice")).status).toBe(401);
  });

  test("who is signed in stays so, and a new proof is as good as ever", async () => {
    const alice = await stage();
    const jar = await justIn(alice);
    alice.target.clock.advance(-HOUR);
    expect(await jar.isIn()).toBe(true);
    // Codes of before the last one are used up, whatever the clock says: this proof is another one.
    const answer = await jar.post("/2fa/backup-code", { code: alice.backupCodes[0] });
    expect([answer.status, (await jar.post("/fresh")).status]).toEqual([200, 200]);
  });
});
