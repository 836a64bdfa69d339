import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { base32 } from "../support/routes.js";

const ENROLLMENTS = 25;

async function secrets(): Promise<{ readonly secret: string; readonly uri: string }[]> {
  const jar = new Jar(testApp());
  await jar.login("carol");
  const all: { readonly secret: string; readonly uri: string }[] = [];
  while (all.length < ENROLLMENTS) {
    const { body, status } = await jar.post("/2fa/totp/enroll");
    expect(status).toBe(201);
    all.push(body);
    // The one that is open would be answered again.
    await jar.post("/2fa/totp/enroll/cancel");
  }
  return all;
}

describe("B21 a short or predictable secret", () => {
  test("B21 every secret has at least 160 bits, in the base32 that apps read, and is in the URI as it is shown", async () => {
    for (const { secret, uri } of await secrets()) {
      expect(secret).toMatch(/^[A-Z2-7]+$/);
      expect(base32(secret).length).toBeGreaterThanOrEqual(20);
      expect(new URL(uri).searchParams.get("secret")).toBe(secret);
      expect(authenticatorApp(uri).secret).toBe(secret);
    }
  });

  test("B21 no two secrets are alike, and none repeats itself", async () => {
    const all = (await secrets()).map(({ secret }) => base32(secret));
    expect(new Set(all.map(String)).size).toBe(ENROLLMENTS);
    for (const bytes of all) {
      const half = bytes.length / 2;
      expect(bytes.subarray(0, half).equals(bytes.subarray(half))).toBe(false);
      expect(new Set(bytes).size).toBeGreaterThan(8);
    }
    // Of 8000 fair bits half are set, give or take five deviations of 45.
    const set = all
      .flatMap((bytes) => [...bytes])
      .reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
    expect(Math.abs(set - all.length * 80)).toBeLessThan(225);
  });
});
