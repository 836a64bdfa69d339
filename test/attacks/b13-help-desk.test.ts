import { describe, expect, test } from "@jest/globals";
import type { NotDoneError } from "express-second-factor";
import { countIn, distantStore, pendingJars, told, twoServers } from "../support/attack.js";
import { enrolled, full } from "../support/browser.js";
import { DESK, give, type, undone } from "../help-desk/stage.js";

const WIDTH = 30;
const LIMITS = { address: { limit: 10_000, window: "15m" } } as const;

/** Two servers over one distant store, and alice with a phone. */
async function servers(options: object = {}) {
  const { store, lost } = distantStore();
  const [one, two] = twoServers({ store, options: { limits: LIMITS, ...options } });
  return { one, two, lost, ...(await enrolled(one, "alice")) };
}

function half<T>(index: number, one: T, two: T): T {
  return index % 2 === 0 ? one : two;
}

describe("thirty at once, half at each of two servers", () => {
  test("B13 thirty logins type one temporary pass: one is in", async () => {
    const { lost, one, two } = await servers();
    const { code } = await give(one);
    const jars = await pendingJars(WIDTH, [one, two], "alice");
    const answers = await Promise.all(jars.map((jar) => type(jar, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(await countIn(jars)).toBe(1);
    expect(told("temporary-pass-used", one, two)).toBe(1);
    expect(lost()).toBeGreaterThan(0);
  });

  test("B13 thirty operators are told whether a number is right: one is", async () => {
    const { lost, one, phone, two } = await servers();
    await one.mfa.accounts.callerCheck.begin("u1", DESK);
    const { number } = (await (await full(one, "alice", phone)).post("/2fa/caller-check")).body as { number: string };
    const answers = await Promise.all(
      Array.from({ length: WIDTH }, (_none, index) =>
        half(index, one, two).mfa.accounts.callerCheck.verify("u1", number, DESK),
      ),
    );
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(lost()).toBeGreaterThan(0);
  });

  test("B13 thirty operators approve one pass: one code is made", async () => {
    const { one, two } = await servers({ helpDesk: { approvals: 2 } });
    const { requestId = "" } = await undone(give(one));
    const outcomes = await Promise.all(
      Array.from({ length: WIDTH }, (_none, index) =>
        half(index, one, two)
          .mfa.accounts.approve(requestId, { actor: `support:${index + 100}` })
          .then(
            () => "done",
            (error: unknown) => (error as NotDoneError).code,
          ),
      ),
    );
    expect(outcomes.toSorted()).toEqual(["done", ...Array<string>(WIDTH - 1).fill("expired")]);
    expect(told("temporary-pass-issued", one, two)).toBe(1);
  });

  test("B13 three passes a year are three, however many are asked for at once", async () => {
    const { one, two } = await servers();
    const given = await Promise.allSettled(Array.from({ length: 10 }, (_none, index) => give(half(index, one, two))));
    expect(given.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });
});
