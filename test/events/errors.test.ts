import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { SecondFactorOptions } from "express-second-factor";
import { testApp, type TestUser } from "../support/app.js";
import { pending } from "../support/browser.js";
import { failing, type Fault, REJECTS, THROWS } from "../support/faults.js";
import { expectProblem } from "../support/problems.js";

type Options = Partial<SecondFactorOptions<TestUser>>;

interface Switch {
  fault: Fault | undefined;
}

let warned: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
});

afterEach(() => {
  warned.mockRestore();
});

function warnings(code: string): string[] {
  return warned.mock.calls
    .filter(([, options]) => (options as { code?: string } | undefined)?.code === code)
    .map(([message]) => String(message));
}

function brokenPolicy(own: Switch): Options {
  return { policy: () => failing(own.fault, () => "optional" as const) };
}

describe("an error event", () => {
  test("says what was thrown, where, when and for whom", async () => {
    const own: Switch = { fault: undefined };
    const target = testApp({ options: brokenPolicy(own) });
    const jar = await pending(target, "alice");
    own.fault = THROWS;
    expectProblem(await jar.get("/account").set("x-request-id", "r-1"), "unavailable");
    expect(target.errors).toMatchObject([
      {
        place: "policy",
        error: { message: "The cable is cut" },
        requestId: "r-1",
        time: new Date(target.clock()).toISOString(),
      },
    ]);
    expect(Object.isFrozen(target.errors[0])).toBe(true);
  });

  test("where nobody listens is printed once for each place, with what was thrown, and ends nothing", async () => {
    const own: Switch = { fault: undefined };
    const target = testApp({ options: brokenPolicy(own) });
    target.mfa.events.removeAllListeners("error");
    const jar = await pending(target, "alice");
    own.fault = REJECTS;
    for (let count = 0; count < 3; count += 1) expectProblem(await jar.get("/account"), "unavailable");
    expect(warnings("SECOND_FACTOR_ERROR")).toEqual([
      expect.stringMatching(/^policy failed: Error: The cable is cut\n/),
    ]);
    own.fault = undefined;
    expect((await jar.get("/account")).status).toBe(200);
  });

  test.each([
    ["throws", () => failing(THROWS, () => undefined)],
    ["rejects", () => failing(REJECTS, () => undefined)],
  ])("that a listener %s at is still told to the others, and answered as ever", async (_name, listener) => {
    const own: Switch = { fault: undefined };
    const target = testApp({ options: brokenPolicy(own) });
    target.mfa.events.prependListener("error", listener);
    const jar = await pending(target, "alice");
    own.fault = THROWS;
    expectProblem(await jar.get("/account"), "unavailable");
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.errors).toHaveLength(1);
    expect(warnings("SECOND_FACTOR_LISTENER")).toHaveLength(1);
  });
});
