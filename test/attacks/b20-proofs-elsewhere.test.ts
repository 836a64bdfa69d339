import { describe, expect, test } from "@jest/globals";
import { testApp, type TestApp } from "../support/app.js";
import {
  HOUR,
  MINUTE,
  MODES,
  type Mode,
  passworded,
  send,
  storedFactors,
  told,
  wrongCodes,
} from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";

interface Field {
  readonly target: TestApp;
  readonly jar: Jar;
  readonly alice: Enrolled;
  readonly begunId: string;
  readonly deviceId: string;
}

/** alice with both factors given, a trusted browser, and an enrollment begun. */
async function field(): Promise<Field> {
  const target = testApp({ options: { verifyPassword: async () => false } });
  const alice = await enrolled(target, "alice");
  const jar = await passworded(target, "JSON", "alice");
  await jar.verify(alice.phone.code(target.clock()), { trustDevice: true });
  target.clock.advance(MINUTE);
  const begun = (await jar.post("/2fa/totp/enroll")).body as { factorId: string };
  const { devices } = await target.mfa.accounts.export("u1");
  return { target, jar, alice, begunId: begun.factorId, deviceId: devices[0]!.id };
}

interface ProofRoute {
  readonly path: string;
  readonly limit: number;
  body(code: string, next: string, ids: Field): object;
}

const PROOF_ROUTES: readonly ProofRoute[] = [
  { path: "/2fa/totp", limit: 5, body: (code) => ({ code }) },
  {
    path: "/2fa/backup-code",
    limit: 10,
    body: (code) => ({ code: `CCCC-CCCC-CC${code.slice(0, 2)}-${code.slice(2)}` }),
  },
  { path: "/2fa/totp/enroll/confirm", limit: 5, body: (code, _next, { begunId }) => ({ factorId: begunId, code }) },
];

const RESYNC: ProofRoute = {
  path: "/2fa/totp/resync",
  limit: 5,
  body: (code, next, { alice }) => ({ factorId: alice.factorId, codes: [code, next] }),
};

const WRITES: readonly ((ids: Field) => string)[] = [
  () => "/2fa/disable",
  () => "/2fa/backup-codes",
  () => "/2fa/totp/enroll",
  ({ alice }) => `/2fa/factors/${alice.factorId}/rename`,
  ({ alice }) => `/2fa/factors/${alice.factorId}/remove`,
  ({ deviceId }) => `/2fa/devices/${deviceId}/revoke`,
  () => "/2fa/devices/revoke-all",
  () => "/2fa/sessions/revoke-others",
];

/** What decides who gets in, without the count of wrong answers that guessing rightly leaves. */
async function standing({ target }: Field): Promise<unknown> {
  const text = JSON.stringify(await storedFactors(target, "alice"));
  return JSON.parse(text.replace(/"failures":[0-9]+/g, '"failures":0').replace(/,?"verifiedFailures":[0-9]+/g, ""));
}

async function guessTwenty(here: Field, mode: Mode, { path, body }: ProofRoute): Promise<number[]> {
  const codes = wrongCodes(21, here.alice.phone, here.target.clock());
  const statuses: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const answer = await send(here.jar, mode, path, body(codes[index]!, codes[index + 1]!, here));
    statuses.push(answer.status);
    if (answer.status === 429) expect(answer.headers["retry-after"]).toMatch(/^[1-9][0-9]*$/);
  }
  return statuses;
}

describe("guessing where a full login has to prove something", () => {
  const cases = MODES.flatMap((mode) => PROOF_ROUTES.map((row) => ({ mode, row, path: row.path })));

  test.each([...cases, { mode: "JSON" as const, row: RESYNC, path: RESYNC.path }])(
    "B20 twenty wrong codes at $path are answered 429 and change nothing ($mode)",
    async ({ mode, row }) => {
      const here = await field();
      const before = await standing(here);
      const statuses = await guessTwenty(here, mode, row);
      expect(statuses).toEqual([...Array<number>(row.limit).fill(401), ...Array<number>(20 - row.limit).fill(429)]);
      expect(await standing(here)).toEqual(before);
      expect(await here.jar.isIn()).toBe(true);
    },
  );

  test.each([...PROOF_ROUTES, RESYNC])("B20 every code compared at $path is in the audit trail", async (row) => {
    const here = await field();
    const before = told("factor-failed", here.target);
    await guessTwenty(here, "JSON", row);
    expect(told("factor-failed", here.target) - before).toBe(row.limit);
    expect(told("locked", here.target)).toBeGreaterThan(0);
  });

  test.each([...PROOF_ROUTES, RESYNC].filter(({ path }) => path !== "/2fa/backup-code"))(
    "B20 guesses at $path are counted apart from those at the login, and are one budget with the other routes of a login",
    async (row) => {
      const here = await field();
      await guessTwenty(here, "JSON", row);
      const stepUp = await here.jar.verify(here.alice.phone.code(here.target.clock()));
      expect([stepUp.status, stepUp.body.code]).toEqual([429, "too-many-attempts"]);
      const jar = await passworded(here.target, "JSON", "alice");
      expect((await jar.verify(here.alice.phone.code(here.target.clock()))).status).toBe(200);
      expect(await jar.isIn()).toBe(true);
    },
  );

  test("B20 a new enrollment does not bring new guesses", async () => {
    const here = await field();
    await guessTwenty(here, "JSON", PROOF_ROUTES[2]!);
    const begun = (await here.jar.post("/2fa/totp/enroll")).body as { factorId: string };
    const code = wrongCodes(1, here.alice.phone, here.target.clock())[0]!;
    const answer = await send(here.jar, "JSON", "/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect(answer.status).toBe(429);
  });

  test("B20 an enrollment that is not this login's cannot be guessed at, and costs its owner nothing", async () => {
    const here = await field();
    const other = await full(here.target, "alice", here.alice.phone);
    const codes = wrongCodes(20, here.alice.phone, here.target.clock());
    for (const code of codes) {
      const answer = await send(other, "JSON", "/2fa/totp/enroll/confirm", { factorId: here.begunId, code });
      expect(answer.status).toBe(404);
    }
    expect((await here.jar.verify(here.alice.phone.code(here.target.clock()))).status).toBe(200);
  });
});

describe("management by a login whose proof is stale", () => {
  test.each(MODES)("B20 no code sent along with a change elevates the login or changes anything (%s)", async (mode) => {
    const here = await field();
    here.target.clock.advance(HOUR);
    const before = await standing(here);
    const right = here.alice.phone.code(here.target.clock());
    for (const path of WRITES.map((write) => write(here))) {
      for (const code of [...wrongCodes(6, here.alice.phone, here.target.clock()), right]) {
        const answer = await send(here.jar, mode, path, { code, label: "mine", password: "alice-password" });
        expect([path, answer.status]).toEqual([path, 401]);
      }
    }
    expect(await standing(here)).toEqual(before);
    expect((await here.jar.get("/")).body).toMatchObject({ status: "verified" });
  });

  test.each(MODES)(
    "B20 twenty wrong step-ups leave every change refused, and the right one is refused then too (%s)",
    async (mode) => {
      const here = await field();
      here.target.clock.advance(HOUR);
      const before = await standing(here);
      expect((await guessTwenty(here, mode, PROOF_ROUTES[0]!)).at(-1)).toBe(429);
      const right = here.alice.phone.code(here.target.clock());
      expect((await send(here.jar, mode, "/2fa/totp", { code: right })).status).toBe(429);
      for (const path of WRITES.map((write) => write(here))) {
        expect([path, (await send(here.jar, mode, path, { label: "mine" })).status]).toEqual([path, 401]);
      }
      expect(await standing(here)).toEqual(before);
    },
  );

  test.each(MODES)("B20 the password that stands in for a fresh login is limited like a code (%s)", async (mode) => {
    const asked: string[] = [];
    const target = testApp({
      options: {
        verifyPassword: async (_user, password) => {
          asked.push(password);
          return password === "carol-password";
        },
      },
    });
    const jar = await passworded(target, mode, "carol");
    target.clock.advance(HOUR);
    const statuses: number[] = [];
    for (let guess = 0; guess < 20; guess += 1) {
      statuses.push((await send(jar, mode, "/2fa/totp/enroll", { password: `guess-${guess}` })).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(10).fill(429)]);
    expect(asked).toHaveLength(10);
    expect((await send(jar, mode, "/2fa/totp/enroll", { password: "carol-password" })).status).toBe(429);
    expect(await storedFactors(target, "carol")).toEqual({ factors: [], enrollments: [], devices: [] });
  });
});
