import { describe, expect, jest, test } from "@jest/globals";
import type { Policy } from "express-second-factor";
import type { Request } from "express";
import { HOUR, MINUTE } from "../support/attack.js";
import { testApp, type TestApp, type TestUser } from "../support/app.js";
import { type Enrolled, enrolled, Jar, pending } from "../support/browser.js";

type Rules = Policy<Request, TestUser>;

function under(policy: Rules, proxy = false): TestApp {
  return testApp({
    options: { policy },
    ...(proxy && { before: (app) => app.set("trust proxy", 1) }),
  });
}

/** What proxies that leave `X-Forwarded-For` as it came say of a stranger at 203.0.113.9. */
const CONTRADICTIONS: readonly Record<string, string>[] = [
  { "X-Real-IP": "203.0.113.9" },
  { "X-Client-IP": "203.0.113.9" },
  { "True-Client-IP": "203.0.113.9" },
  { "CF-Connecting-IP": "203.0.113.9" },
  { "Fastly-Client-IP": "203.0.113.9" },
  { "X-Envoy-External-Address": "203.0.113.9" },
  { "X-Real-IP": "127.0.0.5, 203.0.113.9" },
  { "X-Real-IP": "unknown" },
  { "X-Real-IP": "127.0.0.5", "CF-Connecting-IP": "2001:db8::9" },
  { "Forwarded-For": "127.0.0.5, 203.0.113.9" },
  { Forwarded: "for=203.0.113.9" },
  { Forwarded: "for=127.0.0.5, for=203.0.113.9;proto=https" },
  { Forwarded: 'for=127.0.0.5;by=", for=203.0.113.9' },
  { Forwarded: 'for="127.0.0.5, for="[2001:db8::9]:4711"' },
  { Forwarded: "proto=https;FOR = _hidden" },
  { "X-Forwarded": "for=203.0.113.9" },
];

/** Other headers that say this address. */
function agreeing(address: string): Record<string, string> {
  return { "X-Real-IP": address, "CF-Connecting-IP": address, Forwarded: `proto=https;for="${address}"` };
}

/** What a login of this user comes to. */
async function statusOf(target: TestApp, name: string, address?: string): Promise<string> {
  const jar = new Jar(target);
  const from = address === undefined ? {} : { "X-Forwarded-For": address };
  await jar.login(name).set(from);
  return (await jar.get("/2fa").set(from)).body.status as string;
}

describe("a policy", () => {
  test('that is not given is "optional": who has a second factor is asked for it', async () => {
    const target = testApp();
    await enrolled(target, "alice");
    expect([await statusOf(target, "alice"), await statusOf(target, "carol")]).toEqual(["pending", "not-enrolled"]);
  });

  test("may be a function of the user and the request, which may take its time", async () => {
    const target = under(async (user, req) =>
      user.name === "carol" && req.ip !== undefined ? "required" : "optional",
    );
    expect([await statusOf(target, "carol"), await statusOf(target, "dave")]).toEqual(["must-enroll", "not-enrolled"]);
  });

  test("is asked on every request", async () => {
    const decisions = ["optional", "optional", "required"] as const;
    let asked = 0;
    const target = under(() => decisions[Math.min(asked++, 2)]!);
    const jar = await pending(target, "carol");
    expect([await jar.isIn(), (await jar.get("/account")).body.code]).toEqual([true, "enrollment-required"]);
  });

  test.each<[string, () => unknown]>([
    ["throws", () => Promise.reject(new Error("the directory is away"))],
    ["answers nothing", () => undefined],
    ["answers true", () => true],
    ["answers something else", () => "maybe"],
  ])("that %s refuses: 503, and nobody is let in", async (_name, decide) => {
    let works = true;
    const target = under((() => (works ? "optional" : decide())) as Rules);
    const jar = await pending(target, "carol");
    works = false;
    const answer = await jar.get("/account");
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    expect((await new Jar(target).login("dave")).status).toBe(503);
    expect((await new Jar(target).get("/account")).body.code).toBe("app-says-log-in");
    works = true;
    expect(await jar.isIn()).toBe(true);
  });

  test.each<[unknown, RegExp]>([
    ["sometimes", /policy: give "required"/],
    [null, /policy: give/],
    [{ trustedNetworks: ["10.0.0.0"] }, /"10\.0\.0\.0" is not a CIDR range/],
    [{ trustedNetworks: ["10.0.0.0/33", "::/129"] }, /"10\.0\.0\.0\/33"[^]*"::\/129"/],
    [{ trustedNetworks: ["10.0.0.0/8x"] }, /"10\.0\.0\.0\/8x" is not a CIDR range/],
    [{ trustedNetworks: ["10.0.0.0/x8"] }, /"10\.0\.0\.0\/x8" is not a CIDR range/],
    [{ trustedNetworks: ["10.0.0.0/8/8"] }, /"10\.0\.0\.0\/8\/8" is not a CIDR range/],
    [{ trustedNetworks: ["10.0.0/8"] }, /"10\.0\.0\/8" is not a CIDR range/],
    [{ trustedNetworks: [8] }, /"8" is not a CIDR range/],
    [{ require: true, graceUntil: "soon" }, /policy\.graceUntil: not a date/],
  ])("given as %j is refused at start", (policy, problem) => {
    expect(() => under(policy as Rules)).toThrow(problem);
  });
});

describe("rules: require", () => {
  test.each<[string, Rules, string]>([
    ["true: everyone", { require: true }, "must-enroll"],
    ["false: nobody", { require: false }, "not-enrolled"],
    ["nothing: nobody", {}, "not-enrolled"],
    ["a function: whom it names", { require: (user) => user.name === "carol" }, "must-enroll"],
    ["a function: nobody else", { require: async (user) => user.name === "dave" }, "not-enrolled"],
  ])("%s", async (_name, policy, status) => {
    expect(await statusOf(under(policy), "carol")).toBe(status);
  });
});

describe("rules: require that answers neither true nor false", () => {
  test.each<[string, () => unknown]>([
    ["nothing", () => undefined],
    ["nothing, later", async () => undefined],
    ["null", () => null],
    ["0", () => 0],
    ["1", () => 1],
    ["text", () => "true"],
    ["a decision", () => "required"],
    ["an object", () => ({})],
  ])("but %s refuses every login, and is reported", async (_name, answer) => {
    let works = true;
    const target = under({ require: (() => (works ? false : answer())) as () => boolean });
    const jar = await pending(target, "carol");
    works = false;
    expect((await jar.get("/account")).status).toBe(503);
    expect((await new Jar(target).login("dave")).status).toBe(503);
    const reason = "policy.require answered neither true nor false";
    expect(target.events.at(-1)).toMatchObject({ action: "unavailable", outcome: "failure", reason });
    works = true;
    expect(await jar.isIn()).toBe(true);
  });
});

describe("rules: graceUntil", () => {
  test.each([
    ["a date", (at: number) => new Date(at)],
    ["its text", (at: number) => new Date(at).toISOString()],
  ])("as %s: users are invited before, and required from then on", async (_name, write) => {
    const probe = testApp();
    const deadline = probe.clock() + HOUR;
    const target = under({ require: true, graceUntil: write(deadline) });
    target.clock.set(deadline - 5 * MINUTE);
    const jar = await pending(target, "carol");
    target.clock.set(deadline - 1);
    expect((await jar.get("/2fa")).body.status).toBe("not-enrolled");
    target.clock.set(deadline);
    expect((await jar.get("/2fa")).body.status).toBe("must-enroll");
  });

  test("leaves users with a second factor challenged before, too", async () => {
    const target = under({ require: true, graceUntil: "2999-01-01" });
    await enrolled(target, "alice");
    expect(await statusOf(target, "alice")).toBe("pending");
  });
});

describe("rules: trustedNetworks", () => {
  const policy: Rules = { require: true, trustedNetworks: ["10.0.0.0/8", "2001:db8::/32"] };

  test.each([
    ["10.1.2.3", "not-enrolled"],
    ["::ffff:10.1.2.3", "not-enrolled"],
    ["2001:db8:1::1", "not-enrolled"],
    ["11.0.0.1", "must-enroll"],
    ["2001:db9::1", "must-enroll"],
  ])("from %s a login is %s", async (address, status) => {
    expect(await statusOf(under(policy, true), "carol", address)).toBe(status);
  });

  test("spare users with a second factor the challenge there, and only there", async () => {
    const target = under({ trustedNetworks: ["10.0.0.0/8"] }, true);
    await enrolled(target, "alice");
    expect(await statusOf(target, "alice", "10.1.2.3")).toBe("not-enrolled");
    expect(await statusOf(target, "alice", "192.0.2.1")).toBe("pending");
  });

  test("are left with the login: elsewhere it is asked", async () => {
    const target = under({ trustedNetworks: ["10.0.0.0/8"] }, true);
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice").set("X-Forwarded-For", "10.1.2.3");
    expect((await jar.get("/account").set("X-Forwarded-For", "10.1.2.3")).status).toBe(200);
    expect((await jar.get("/account").set("X-Forwarded-For", "192.0.2.1")).body.code).toBe("second-factor-required");
  });

  /** A stranger at 203.0.113.9, by way of the proxies that `headers` tell of. */
  test.each<[string, unknown, Record<string, string>]>([
    ["trust proxy is not set behind a proxy", false, { "X-Forwarded-For": "203.0.113.9" }],
    ["a proxy tells of the client by another header", false, { "X-Real-IP": "203.0.113.9" }],
    ["a proxy tells of the client by the standard header", false, { Forwarded: "for=203.0.113.9" }],
    ["trust proxy is set, and the proxy forwards nothing", 1, {}],
    ["trust proxy is set, and the proxy tells by another header", 1, { "X-Real-IP": "203.0.113.9" }],
    ["there are more proxies than are trusted", 1, { "X-Forwarded-For": "203.0.113.9, 127.0.0.2" }],
    ["there are more proxies than are listed", "127.0.0.1", { "X-Forwarded-For": "203.0.113.9, 127.0.0.2" }],
    ["trust proxy is true", true, { "X-Forwarded-For": "127.0.0.5, 203.0.113.9" }],
    ["trust proxy is a function that trusts everything", () => true, { "X-Forwarded-For": "127.0.0.5, 203.0.113.9" }],
    ["trust proxy lists every address", "0.0.0.0/1, 128.0.0.0/1", { "X-Forwarded-For": "127.0.0.5, 203.0.113.9" }],
    ["there are fewer proxies than are trusted", 2, { "X-Forwarded-For": "127.0.0.5" }],
    ...CONTRADICTIONS.map((told): [string, unknown, Record<string, string>] => [
      `a client's own X-Forwarded-For is passed on by a proxy that says ${JSON.stringify(told)}`,
      1,
      { "X-Forwarded-For": "127.0.0.5", ...told },
    ]),
  ])("exempt no stranger where %s", async (_name, trust, headers) => {
    const emitted = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const target = testApp({
      options: { policy: { require: true, trustedNetworks: ["127.0.0.0/8", "::1/128"] } },
      before: (app) => app.set("trust proxy", trust),
    });
    const jar = new Jar(target);
    jar.agent.set(headers);
    expect((await jar.login("carol")).status).toBe(403);
    expect((await jar.get("/2fa")).body.status).toBe("must-enroll");
    emitted.mockRestore();
  });

  test("exempt nobody any more once a request has passed fewer proxies than are trusted: anybody could say any address", async () => {
    const emitted = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const target = testApp({ options: { policy }, before: (app) => app.set("trust proxy", 2) });
    const inside = "10.1.2.3, 192.0.2.1";
    expect(await statusOf(target, "carol", inside)).toBe("not-enrolled");
    await new Jar(target).get("/").set("X-Forwarded-For", "203.0.113.9");
    expect(emitted.mock.calls.map(([text]) => String(text))).toEqual([expect.stringMatching(/larger number than/)]);
    expect(await statusOf(target, "carol", inside)).toBe("must-enroll");
    emitted.mockRestore();
  });

  test.each<[string, unknown, Record<string, string>]>([
    ["one that comes directly", false, {}],
    ["one that comes directly beside a proxy that is listed", "192.0.2.0/24", {}],
    ["one behind the proxy that is listed", "127.0.0.1", { "X-Forwarded-For": "127.0.0.5" }],
    ["one behind two proxies", 2, { "X-Forwarded-For": "127.0.0.5, 192.0.2.1" }],
    ["one of whom every header says the same", 1, { "X-Forwarded-For": "127.0.0.5", ...agreeing("127.0.0.5") }],
    ["one of whom the headers say it in other ways", 1, { "X-Forwarded-For": "::1", ...agreeing("[0:0::1]:4711") }],
    ["one of whom another header says it as IPv6", 1, { "X-Forwarded-For": "127.0.0.5", ...agreeing("::ffff:7f00:5") }],
    ["one of whom Forwarded tells nothing", 1, { "X-Forwarded-For": "127.0.0.5", Forwarded: "proto=https;by=_a" }],
    [
      "one behind two proxies that both tell by both headers",
      2,
      { "X-Forwarded-For": "127.0.0.5, 192.0.2.1", Forwarded: 'for=127.0.0.5;proto=https, For="192.0.2.1:80"' },
    ],
  ])("exempt whom they name: %s", async (_name, trust, headers) => {
    const target = testApp({
      options: { policy: { require: true, trustedNetworks: ["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"] } },
      before: (app) => app.set("trust proxy", trust),
    });
    const jar = new Jar(target);
    jar.agent.set(headers);
    await jar.login("carol");
    expect((await jar.get("/2fa")).body.status).toBe("not-enrolled");
  });

  test("do not believe a header where no proxy is trusted", async () => {
    expect(await statusOf(under(policy), "carol", "10.1.2.3")).toBe("must-enroll");
  });
});

describe("rules: evaluate", () => {
  test("decides alone, after the networks", async () => {
    const target = under(
      {
        require: true,
        trustedNetworks: ["10.0.0.0/8"],
        evaluate: (user) => (user.name === "dave" ? "required" : "optional"),
      },
      true,
    );
    expect(await statusOf(target, "carol", "192.0.2.1")).toBe("not-enrolled");
    expect(await statusOf(target, "dave", "192.0.2.1")).toBe("must-enroll");
    expect(await statusOf(target, "dave", "10.1.2.3")).toBe("not-enrolled");
  });
});

describe('policy "exempt"', () => {
  /** Alice has a second factor; from now on nobody asks her for it. */
  async function exempted(): Promise<Enrolled & { target: TestApp; jar: Jar }> {
    let decision: "optional" | "exempt" = "optional";
    const target = testApp({ options: { policy: () => decision } });
    const factor = await enrolled(target, "alice");
    decision = "exempt";
    return { ...factor, target, jar: await pending(target, "alice") };
  }

  test("never asks, whoever has one", async () => {
    const { jar } = await exempted();
    expect(await jar.isIn()).toBe(true);
    expect((await jar.get("/")).body.status).toBe("not-enrolled");
  });

  test("lets nobody change the factors of an account with the password alone", async () => {
    const { target, jar, factorId } = await exempted();
    const answers: unknown[] = [];
    const paths = [
      "totp/enroll",
      "backup-codes",
      `factors/${factorId}/rename`,
      `factors/${factorId}/remove`,
      "disable",
    ];
    for (const path of paths) {
      const { status, body } = await jar.post(`/2fa/${path}`, { label: "Mallory's" });
      answers.push([path, status, body.code]);
    }
    expect(answers).toEqual(paths.map((path) => [path, 401, "step-up-required"]));
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ label: "Authenticator app" }]);
  });

  test("takes the second factor of who gives it, to change something", async () => {
    const { target, jar, phone } = await exempted();
    const answer = await jar.verify(phone.code(target.clock()));
    expect([answer.status, answer.body.status]).toEqual([200, "verified"]);
    expect((await jar.post("/2fa/backup-codes")).status).toBe(201);
  });

  test("of a user without one leaves them free to set one up", async () => {
    const target = under("exempt");
    const jar = await pending(target, "carol");
    await jar.enroll();
    expect((await jar.get("/")).body.status).toBe("verified");
    expect(await (await pending(target, "carol")).isIn()).toBe(true);
  });
});
