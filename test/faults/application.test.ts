import { describe, expect, jest, test } from "@jest/globals";
import type { Test } from "supertest";
import type { AuditEvent, Notice, SecondFactorOptions } from "express-second-factor";
import { CANARY, passwordOf, testApp, type TestApp, type TestUser } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { MODES, passworded, told } from "../support/attack.js";
import { answers, failing, type Fault, HANGS, named, REJECTS, THROWS } from "../support/faults.js";
import { PAGES, stateRoutes } from "../support/routes.js";
import { expectProblem } from "../support/problems.js";

type Options = Partial<SecondFactorOptions<TestUser>>;

function list(faults: readonly Fault[]): [string, Fault][] {
  return faults.map((fault) => [named(fault), fault]);
}

/** Far beyond every time-out of these tests, and far below the runner's. */
const PATIENCE = 2_000;

function patiently(asked: Test): Test {
  return asked.timeout(PATIENCE);
}

interface Switch {
  fault: Fault | undefined;
}

async function prepared(
  options: (broken: Switch) => Options,
): Promise<{ target: TestApp; broken: Switch; factor: Enrolled }> {
  const broken: Switch = { fault: undefined };
  const target = testApp({ options: { storeTimeout: "50ms", ...options(broken) } });
  return { target, broken, factor: await enrolled(target, "alice") };
}

const NONSENSE = [null, undefined, true, "", "REQUIRED", "exempt ", {}, ["exempt"], 0];

describe.each(list([THROWS, REJECTS, ...NONSENSE.map(answers)]))("a policy that %s", (_name, fault) => {
  test("refuses every login on every path, lets nobody in, and loses nothing", async () => {
    const { target, broken, factor } = await prepared((own) => ({
      policy: () => failing(own.fault, () => "optional" as const),
    }));
    const [owner, waiting] = [await full(target, "alice", factor.phone), await pending(target, "alice")];
    const carol = await passworded(target, "JSON", "carol");
    const code = factor.phone.code(target.clock());
    broken.fault = fault;
    for (const jar of [owner, waiting, carol]) {
      for (const path of ["/account", "/2fa", "/2fa/settings"]) expectProblem(await jar.get(path), "unavailable");
      expectProblem(await jar.verify(code), "unavailable");
    }
    for (const path of PAGES) expectProblem(await waiting.get(path), "unavailable");
    if (fault === THROWS) {
      for (const { path, body } of stateRoutes())
        expectProblem(await waiting.post(path, { ...body, code }), "unavailable");
    }
    const late = new Jar(target);
    for (const mode of MODES) {
      const body = { username: "alice", password: passwordOf("alice") };
      const answer = await (mode === "JSON" ? late.post("/login", body) : late.form("/login", body));
      expect([answer.status, answer.text.includes(CANARY)]).toEqual([503, false]);
    }
    expect((await new Jar(target).get("/")).body.status).toBe("anonymous");
    broken.fault = undefined;
    expect([await owner.isIn(), await waiting.isIn(), await carol.isIn(), await late.isIn()]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect((await waiting.verify(code)).status).toBe(200);
  });
});

test("a policy that never answers is refused in time, and nothing opens", async () => {
  const { target, broken, factor } = await prepared((own) => ({
    policy: () => failing(own.fault, () => "optional" as const),
  }));
  const owner = await full(target, "alice", factor.phone);
  broken.fault = HANGS;
  const answer = await patiently(owner.get("/account")).then(
    ({ status }) => status,
    (error: unknown) => String(error),
  );
  expect(answer).toBe(503);
  broken.fault = undefined;
  expect(await owner.isIn()).toBe(true);
});

describe("functions of the application that throw", () => {
  const FUNCTIONS: Readonly<Record<string, (own: Switch) => Options>> = {
    "user.id": (own) => ({ user: { id: (user) => failing(own.fault, () => user.id) } }),
    exempt: (own) => ({ exempt: (req) => failing(own.fault, () => req.path === "/login" || req.path === "/logout") }),
    "rules of the policy": (own) => ({ policy: { require: () => failing(own.fault, () => false) } }),
  };

  test.each(Object.entries(FUNCTIONS))(
    "%s: nothing opens, the answer is a refusal, and all works again",
    async (_name, options) => {
      const broken: Switch = { fault: undefined };
      const target = testApp({ options: { storeTimeout: "50ms", ...options(broken) } });
      const owner = new Jar(target);
      await owner.login("carol");
      expect(await owner.isIn()).toBe(true);
      const waiting = new Jar(target);
      await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" });
      await waiting.login("alice");
      broken.fault = THROWS;
      for (const path of ["/account", "/2fa", "/2fa/settings"]) {
        for (const asked of [waiting.get(path), waiting.page(path)]) {
          const answer = await patiently(asked);
          expect([path, answer.status === 503 || answer.status < 500, answer.text.includes(CANARY)]).toEqual([
            path,
            true,
            false,
          ]);
        }
      }
      broken.fault = undefined;
      expect([await owner.isIn(), await waiting.isIn()]).toEqual([true, false]);
    },
  );

  const WORDS: Readonly<Record<string, (own: Switch) => Options>> = {
    messages: (own) => ({ pages: { messages: () => failing(own.fault, () => ({})) } }),
    layout: (own) => ({ pages: { layout: ({ body }) => failing(own.fault, () => `<main>${body}</main>`) } }),
    lang: (own) => ({ pages: { lang: () => failing(own.fault, () => "en") } }),
    issuer: (own) => ({ issuer: () => failing(own.fault, () => "Acme") }),
    origin: (own) => ({ origin: () => failing(own.fault, () => ["http://localhost:3000"]) }),
    "user.name": (own) => ({ user: { name: (user) => failing(own.fault, () => user.name) } }),
  };

  test.each(Object.entries(WORDS))(
    "%s: every request is answered, the process lives, and nothing opens",
    async (_name, options) => {
      const { target, broken, factor } = await prepared(options);
      const [owner, waiting] = [await full(target, "alice", factor.phone), await pending(target, "alice")];
      broken.fault = THROWS;
      const statuses: unknown[] = [];
      for (const asked of [
        waiting.page("/account"),
        waiting.page("/2fa"),
        waiting.get("/2fa"),
        waiting.form("/2fa/totp", { code: "000000" }),
        waiting.post("/2fa/totp", { code: "000000" }),
        waiting.page("/2fa/nowhere"),
        owner.page("/2fa/settings"),
        owner.form("/2fa/totp/enroll"),
        owner.page("/2fa/nowhere"),
        new Jar(target).page("/2fa"),
        new Jar(target).get("/2fa"),
      ]) {
        const answer = await patiently(asked).then(
          ({ status, text }) => (text.includes(CANARY) ? "open" : status),
          (error: unknown) => String(error),
        );
        statuses.push(answer);
      }
      // Refused, or told to the application's own error handler: either will do, silence will not.
      expect(statuses.filter((status) => typeof status !== "number")).toEqual([]);
      broken.fault = undefined;
      expect([await owner.isIn(), await waiting.isIn()]).toEqual([true, false]);
      expect((await waiting.verify(factor.phone.code(target.clock()))).status).toBe(200);
    },
  );
});

describe("verifyPassword", () => {
  const stale = async (fault: Fault): Promise<{ target: TestApp; jar: Jar; own: Switch }> => {
    const own: Switch = { fault };
    const verifyPassword = (user: TestUser, password: string): Promise<boolean> =>
      failing(own.fault, async () => password === passwordOf(user.name));
    const target = testApp({ options: { storeTimeout: "50ms", verifyPassword } });
    const jar = new Jar(target);
    await jar.login("carol");
    target.clock.advance(16 * 60_000);
    return { target, jar, own };
  };
  const password = passwordOf("carol");

  test.each(list([THROWS, REJECTS]))(
    "that %s is 503, begins no enrollment, and uses up no attempts",
    async (_name, fault) => {
      const { jar, own } = await stale(fault);
      for (let attempt = 0; attempt < 12; attempt += 1)
        expectProblem(await jar.post("/2fa/totp/enroll", { password }), "unavailable");
      own.fault = undefined;
      expect((await jar.post("/2fa/totp/enroll", { password })).status).toBe(201);
    },
  );

  test.each(list(["yes", 1, {}, [], "true", null, undefined, 0].map(answers)))(
    "that %s is no yes",
    async (_name, fault) => {
      const { jar, own } = await stale(fault);
      expectProblem(await jar.post("/2fa/totp/enroll", { password }), "step-up-required");
      own.fault = undefined;
      expect((await jar.post("/2fa/totp/enroll", { password })).status).toBe(201);
    },
  );

  test("a wrong password is refused and counted: the right one is refused too after ten", async () => {
    const { jar } = await stale(answers(false));
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expectProblem(await jar.post("/2fa/totp/enroll", { password: "wrong" }), "step-up-required");
    }
    expectProblem(await jar.post("/2fa/totp/enroll", { password }), "too-many-attempts");
  });
});

describe("notices", () => {
  test.each(list([THROWS, REJECTS, HANGS, answers(null), answers(7)]))(
    "a notify that %s delays and changes nothing",
    async (_name, fault) => {
      const seen: Notice[] = [];
      const notify = (notice: Notice): Promise<void> => {
        seen.push(notice);
        return failing(fault, async () => undefined);
      };
      const target = testApp({ options: { notify, storeTimeout: "50ms" } });
      const { phone, backupCodes } = await enrolled(target, "alice");
      const jar = await pending(target, "alice");
      expect((await patiently(jar.post("/2fa/backup-code", { code: backupCodes[0] }))).status).toBe(200);
      expect((await patiently(jar.verify(phone.code(target.clock()), { trustDevice: true }))).status).toBe(200);
      expect(await jar.isIn()).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
      const kinds = ["factor-enrolled", "backup-code-used", "new-browser", "device-trusted"];
      expect(seen.map(({ kind }) => kind)).toEqual(kinds);
      const fails = fault === THROWS || fault === REJECTS;
      expect(target.events.filter(({ action }) => action === "notice-failed").map(({ reason }) => reason)).toEqual(
        fails ? kinds : [],
      );
    },
  );
});

describe("listeners of the audit trail", () => {
  test.each(list([THROWS, REJECTS, HANGS]))(
    "one that %s neither opens nor closes anything, and the others still hear",
    async (_name, fault) => {
      const warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      try {
        const target = testApp();
        const heard: AuditEvent[] = [];
        target.mfa.events.on("audit", () => failing(fault, () => undefined));
        target.mfa.events.on("audit", (event) => heard.push(event));
        const { phone } = await enrolled(target, "alice");
        const jar = await pending(target, "alice");
        expect((await patiently(jar.verify("000000"))).status).toBe(401);
        expect(await jar.isIn()).toBe(false);
        expect((await patiently(jar.verify(phone.code(target.clock())))).status).toBe(200);
        expect(await jar.isIn()).toBe(true);
        await new Promise((resolve) => setImmediate(resolve));
        expect(heard).toEqual(target.events);
        expect(told("factor-verified", target)).toBe(1);
        if (fault === THROWS) expect(warned).toHaveBeenCalled();
      } finally {
        warned.mockRestore();
      }
    },
  );

  test("events cannot be changed by who hears them first", async () => {
    const target = testApp();
    const first: unknown[] = [];
    target.mfa.events.prependListener("audit", (event) => {
      first.push(Reflect.set(event, "userId", "nobody"));
    });
    await enrolled(target, "alice");
    expect(first.length).toBeGreaterThan(0);
    expect(first.every((changed) => changed === false)).toBe(true);
    expect(target.events.every(({ userId }) => userId === "u1")).toBe(true);
  });
});
