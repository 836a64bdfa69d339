// What keeps an owner's devices from being asked, who is told of it, and what lifts it.
import { afterEach, describe, expect, test } from "@jest/globals";
import { NotAskedError, type Notice } from "express-second-factor";
import { ask, type AskedOwner, endAsking, owner } from "../support/asked-owner.js";
import { MINUTE } from "../support/attack.js";
import { full, Jar } from "../support/browser.js";
import { phone, type Phone } from "../support/phone.js";

afterEach(endAsking);

/** Support asks, and the owner says that it was not them. */
async function disown({ phone: device, target }: AskedOwner): Promise<void> {
  const { number, outcome } = ask(target);
  await number;
  await device.notMe();
  await outcome;
}

/** Support asks twice, and the owner denies. */
async function denyTwice({ phone: device, target }: AskedOwner): Promise<void> {
  for (let count = 0; count < 2; count += 1) {
    const { number, outcome } = ask(target);
    await number;
    await device.deny();
    await outcome;
  }
}

/** The code of the refusal; "asked" where there is none. */
async function asked({ target }: Pick<AskedOwner, "target">): Promise<string> {
  const { number, outcome } = ask(target);
  const refused = outcome.then(String, (error: unknown) => (error instanceof NotAskedError ? error.code : "?"));
  const answer = await Promise.race([number.then(() => "asked"), refused]);
  endAsking();
  return answer;
}

async function isPaused({ target }: AskedOwner): Promise<boolean> {
  const { pushPaused = false } = await target.mfa.accounts.status("u1");
  return pushPaused;
}

async function anotherPhone({ target }: AskedOwner, jar: Jar): Promise<Phone> {
  const device = await phone(target);
  await device.enroll(jar);
  return device;
}

describe("an owner who has said that it was not them", () => {
  test("is asked no more: status says so, and support lifts it, told with each device's name", async () => {
    const told: unknown[] = [];
    const notify = ({ kind, details }: { kind: string; details: { label?: string; actor?: string } }): void => {
      told.push([kind, details.label, details.actor]);
    };
    const here = await owner({ options: { notify } });
    expect([await isPaused(here), await asked(here)]).toEqual([false, "asked"]);
    await disown(here);
    expect([await isPaused(here), await asked(here)]).toEqual([true, "frozen"]);
    told.length = 0;
    expect(await here.target.mfa.accounts.reopenFactors("u1", { actor: "support:7" })).toBe(true);
    expect([await isPaused(here), await asked(here)]).toEqual([false, "asked"]);
    expect(here.target.events).toContainEqual(
      expect.objectContaining({ action: "factor-resumed", actor: "support:7", factorId: here.phone.factorId }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([["factor-resumed", expect.any(String), "support:7"]]);
    expect(await here.target.mfa.accounts.reopenFactors("u1")).toBe(false);
  });

  test("can report it by the link of the notice too: everything is ended, and the device that said so is not suspended", async () => {
    const links: string[] = [];
    const notify = ({ kind, links: { report = "" } }: Notice): void => {
      if (kind === "push-reported") links.push(report);
    };
    const here = await owner({ options: { notify } });
    // What was set up since is suspended by every report.
    here.target.clock.advance(MINUTE);
    await disown(here);
    while (links.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const token = new URL(links[0]!).searchParams.get("token");
    expect((await new Jar(here.target).post("/2fa/report", { token })).status).toBe(200);
    const { frozenUntil, suspended } = await here.target.mfa.accounts.status("u1");
    expect([typeof frozenUntil, suspended]).toEqual(["string", undefined]);
  });

  test("is asked again once a factor of another kind was used, and by nothing that only time brings", async () => {
    const here = await owner();
    await disown(here);
    here.target.clock.advance(24 * 60 * MINUTE);
    expect([await isPaused(here), await asked(here)]).toEqual([true, "frozen"]);
    await full(here.target, "alice", here.app);
    expect([await isPaused(here), await asked(here)]).toEqual([false, "asked"]);
  });

  test("is asked again after a reset, on what they have set up since", async () => {
    const here = await owner();
    await disown(here);
    await here.target.mfa.accounts.reset("u1", { actor: "admin:1" });
    expect([await isPaused(here), await asked(here)]).toEqual([false, "not-found"]);
    const jar = new Jar(here.target);
    await jar.login("alice");
    await anotherPhone(here, jar);
    expect(await asked(here)).toBe("asked");
  });
});

describe("a device that is removed", () => {
  test("takes along what it was asked: nobody can answer that any more", async () => {
    const here = await owner();
    await anotherPhone(here, await full(here.target, "alice", here.app));
    const { number, outcome } = ask(here.target, { factorId: here.phone.factorId });
    const typed = await number;
    const body = await here.phone.decideBody(await here.phone.request(), "approve", typed);
    await here.target.mfa.accounts.removeFactor("u1", here.phone.factorId);
    expect(await outcome).toBe("expired");
    expect((await new Jar(here.target).post("/2fa/push/decide", body)).status).toBe(410);
  });

  test("takes along what was denied only where it was the last of them", async () => {
    const here = await owner();
    const other = await anotherPhone(here, await full(here.target, "alice", here.app));
    await here.target.mfa.accounts.removeFactor("u1", other.factorId);
    await denyTwice(here);
    const jar = await full(here.target, "alice", here.app);
    const second = await anotherPhone(here, jar);
    expect(await asked(here)).toBe("too-many-attempts");
    await here.target.mfa.accounts.removeFactor("u1", here.phone.factorId);
    expect(await asked(here)).toBe("too-many-attempts");
    await here.target.mfa.accounts.removeFactor("u1", second.factorId);
    await anotherPhone(here, await full(here.target, "alice", here.app));
    expect(await asked(here)).toBe("asked");
  });

  test("takes along what it denied where its owner removes it, and it was the last", async () => {
    const here = await owner();
    await denyTwice(here);
    const jar = await full(here.target, "alice", here.app);
    expect(await asked(here)).toBe("too-many-attempts");
    expect((await jar.post(`/2fa/factors/${here.phone.factorId}/remove`)).status).toBe(204);
    await anotherPhone(here, jar);
    expect(await asked(here)).toBe("asked");
  });
});
