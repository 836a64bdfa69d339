import { describe, expect, test } from "@jest/globals";
import { totp } from "express-second-factor";
import { MINUTE, STEP } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, Jar, pending } from "../support/browser.js";

interface Ready extends Enrolled {
  readonly jar: Jar;
}

/** Alice with an authenticator none of whose codes of these minutes is used, waiting for her second factor. */
async function ready(options: TestAppOptions["options"] = {}): Promise<Ready> {
  const target = testApp({ options });
  const factor = await enrolled(target, "alice");
  target.clock.advance(5 * MINUTE);
  return { ...factor, jar: await pending(target, "alice") };
}

function at({ jar, phone }: Ready, steps: number): string {
  return phone.code(jar.target.clock() + steps * STEP);
}

describe("a code at a login", () => {
  test.each([
    [-2, 401],
    [-1, 200],
    [0, 200],
    [1, 200],
    [2, 401],
  ])("of step %i from the present one is answered %i", async (steps, status) => {
    const login = await ready();
    expect((await login.jar.verify(at(login, steps))).status).toBe(status);
    expect(await login.jar.isIn()).toBe(status === 200);
  });

  test.each([
    [-1, 401],
    [0, 200],
    [1, 401],
  ])("under the strict preset, of step %i, is answered %i", async (steps, status) => {
    const login = await ready({ preset: "strict" });
    expect((await login.jar.verify(at(login, steps))).status).toBe(status);
  });

  test.each([
    ["a window of none", totp({ window: 0 }), [401, 401, 200, 401, 401]],
    ["a window of two", totp({ window: 2 }), [200, 200, 200, 200, 200]],
  ])("is judged by the window the application chose: %s", async (_name, method, statuses) => {
    const answers: number[] = [];
    for (const steps of [-2, -1, 0, 1, 2]) {
      const login = await ready({ methods: [method] });
      answers.push((await login.jar.verify(at(login, steps))).status);
    }
    expect(answers).toEqual(statuses);
  });

  test("is good once", async () => {
    const login = await ready();
    const code = at(login, 0);
    expect((await login.jar.verify(code)).status).toBe(200);
    const other = await pending(login.jar.target, "alice");
    expect((await other.verify(code)).status).toBe(401);
  });

  test("is refused once a later one was used, in whatever login", async () => {
    const login = await ready();
    const [earlier, present, later] = [at(login, -1), at(login, 0), at(login, 1)];
    expect((await login.jar.verify(later)).status).toBe(200);
    for (const code of [earlier, present, later]) {
      expect((await (await pending(login.jar.target, "alice")).verify(code)).status).toBe(401);
    }
  });

  test("keeps its leading zeros", async () => {
    const login = await ready();
    while (!at(login, 0).startsWith("0")) login.jar.target.clock.advance(STEP);
    const jar = await pending(login.jar.target, "alice");
    const code = at(login, 0);
    expect((await jar.verify(code.replace(/^0+/, ""))).status).toBe(400);
    expect((await jar.verify(code)).status).toBe(200);
  });

  test.each([
    ["in two groups", (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ["with a hyphen", (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`],
    ["in pairs", (code: string) => code.replace(/(..)(?=.)/g, "$1 ")],
    ["with several of both", (code: string) => `${code.slice(0, 2)} - ${code.slice(2)}`],
    ["with blanks around it", (code: string) => `  ${code} `],
  ])("may be written %s", async (_name, write) => {
    const login = await ready();
    expect((await login.jar.verify(write(at(login, 0)))).status).toBe(200);
  });

  test.each([
    ["five digits", "12345"],
    ["seven digits", "1234567"],
    ["a letter", "12345a"],
    ["full-width digits", "１２３４５６"],
    ["Arabic digits", "١٢٣٤٥٦"],
    ["a sign", "+12345"],
    ["a decimal", "1234.5"],
    ["an exponent", "1e0001"],
    ["other separators", "123_456"],
    ["nothing", ""],
  ])("of %s is not one: 400, and nothing is counted", async (_name, code) => {
    const login = await ready();
    for (let count = 0; count < 12; count += 1) {
      const answer = await login.jar.verify(code);
      expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
    }
    expect((await login.jar.verify(at(login, 0))).status).toBe(200);
  });

  test("of another user is wrong", async () => {
    const login = await ready();
    const mallory = await enrolled(login.jar.target, "mallory");
    login.jar.target.clock.advance(5 * MINUTE);
    expect((await login.jar.verify(mallory.phone.code(login.jar.target.clock()))).status).toBe(401);
  });
});
