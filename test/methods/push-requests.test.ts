import { describe, expect, test } from "@jest/globals";
import { MINUTE } from "../support/attack.js";
import { pending } from "../support/browser.js";
import { wrongNumber } from "../support/phone.js";
import { askedBy, pushApp, status, SUBSCRIPTION, waitingFor, withPhone } from "../support/push.js";

const SECOND = 1_000;

describe("a device that is asked", () => {
  test("approves with the number that the sign-in shows, and the sign-in that asked goes on by it", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    expect(sent).toEqual({
      requestId: expect.any(String),
      number: expect.stringMatching(/^[0-9]{2}$/),
      expiresAt: new Date(target.clock() + 2 * MINUTE).toISOString(),
    });
    const waiting = await status(jar, sent.requestId);
    expect([waiting.status, waiting.body, waiting.headers["retry-after"]]).toEqual([200, { state: "waiting" }, "2"]);
    await phone.approve(sent.number);
    const peeked = await status(jar, sent.requestId, { peek: true });
    expect([peeked.status, peeked.body]).toEqual([200, { state: "approved" }]);
    expect(await jar.isIn()).toBe(false);
    const done = await status(jar, sent.requestId);
    expect([done.status, done.body]).toEqual([
      200,
      { status: "verified", redirectTo: "/account", amr: ["pwd", "swk", "pop", "mfa"] },
    ]);
    expect(await jar.isIn()).toBe(true);
  });
});
