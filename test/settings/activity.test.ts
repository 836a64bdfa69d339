import { describe, expect, test } from "@jest/globals";
import { MINUTE, NO_LIMITS, wrongCode } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, type Jar, pending } from "../support/browser.js";

interface Line {
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly count: number;
  readonly number: number;
  readonly label?: string;
  readonly browser?: string;
}

async function activityOf(jar: Jar): Promise<readonly Line[]> {
  return ((await jar.get("/2fa/settings")).body as { activity: readonly Line[] }).activity;
}

async function owner(target: TestApp = testApp()) {
  const { phone } = await enrolled(target, "alice");
  return { target, phone, jar: await full(target, "alice", phone) };
}

describe("the activity list", () => {
  test("shows repeats of one kind as one line with a count: twenty sign-outs wash nothing off it", async () => {
    const { target, jar } = await owner();
    for (let time = 0; time < 21; time += 1) {
      target.clock.advance(1000);
      expect((await jar.post("/2fa/sessions/revoke-others")).status).toBe(204);
    }
    const at = new Date(target.clock()).toISOString();
    expect(await activityOf(jar)).toMatchObject([
      { action: "sessions-revoked", outcome: "success", at, count: 21, number: 23 },
      { action: "factor-verified", count: 1, number: 2 },
      { action: "factor-enrolled", count: 1, number: 1 },
    ]);
  });

  test("shows guesses as few lines, also where they take turns with other guesses, from ever new browsers", async () => {
    const { target, phone, jar } = await owner(testApp({ options: { limits: NO_LIMITS } }));
    const guesser = await pending(target, "alice");
    for (let guess = 0; guess < 20; guess += 1) {
      const { text } = await guesser.verify(wrongCode(phone, target.clock())).set("User-Agent", `Guess${guess}/1.0`);
      expect(text).toContain("invalid-code");
      await guesser.post("/2fa/backup-code", { code: "0000-0000-0000-0000" }).set("User-Agent", `Guess${guess}/1.0`);
    }
    const lines = await activityOf(jar);
    expect(lines.filter(({ action }) => action === "factor-failed").length).toBeLessThanOrEqual(6);
    expect(lines.filter(({ action }) => action === "factor-failed").every(({ outcome }) => outcome === "failure")).toBe(
      true,
    );
    const counts = lines.filter(({ action }) => action === "factor-failed").map(({ count }) => count);
    expect(counts.reduce((sum, count) => sum + count)).toBe(40);
    expect(lines.slice(-2)).toMatchObject([{ action: "factor-verified" }, { action: "factor-enrolled" }]);
  });

  test("keeps what was done in two browsers apart: the owner's sign-in does not hide another's", async () => {
    const { target, phone, jar } = await owner();
    const other = await pending(target, "alice");
    await other.verify(phone.code(target.clock())).set("User-Agent", "Other/1.0");
    target.clock.advance(MINUTE);
    await full(target, "alice", phone);
    expect(await activityOf(jar)).toMatchObject([
      { action: "factor-verified", browser: "Unknown browser", count: 2 },
      { action: "factor-verified", browser: "Other", count: 1 },
      { action: "factor-enrolled" },
    ]);
  });

  test("is in the order of what happened last", async () => {
    const { target, phone, jar } = await owner();
    await jar.post("/2fa/sessions/revoke-others");
    await full(target, "alice", phone);
    const lines = await activityOf(jar);
    expect(lines.map(({ action }) => action)).toEqual(["factor-verified", "sessions-revoked", "factor-enrolled"]);
    expect(lines.map(({ number }) => number)).toEqual([4, 3, 1]);
  });

  test("shows a count on the page, and none beside what happened once", async () => {
    const { jar } = await owner();
    for (let time = 0; time < 3; time += 1) await jar.post("/2fa/sessions/revoke-others");
    const page = (await jar.page("/2fa/settings")).text;
    expect(page).toContain("3 times");
    expect(page).not.toContain("1 times");
  });
});
