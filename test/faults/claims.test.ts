// Whatever a change of an account holds in the index of credentials is held for somebody: nothing is left there by what failed, was
// refused or came too late.
import { describe, expect, test } from "@jest/globals";
import { memoryStore, type Store } from "express-second-factor";
import { softwareAuthenticator, type Tampering } from "express-second-factor/testing";
import { randomText } from "../passkeys/lies.js";
import { creationOptions, enrollWith, holder, passwordGiven } from "../passkeys/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { HOUR, MINUTE } from "../support/attack.js";
import { enrolled, full, type Jar } from "../support/browser.js";
import { phone, type Phone } from "../support/phone.js";
import { pushMethods, TestChannel } from "../support/push.js";

type Verb = "read" | "write" | "remove";
type Failing = (call: number, verb: Verb) => Fault | undefined | Promise<undefined>;
type Fault = "before" | "after";

/** A store whose calls can be counted, and one of them made to fail: before it does anything, or with its answer lost. */
class BreakingStore implements Store {
  readonly inner = memoryStore();
  calls = 0;
  private failing: Failing | undefined;

  read(key: string) {
    return this.run("read", () => this.inner.read(key));
  }

  write(...given: Parameters<Store["write"]>) {
    return this.run("write", () => this.inner.write(...given));
  }

  remove(...given: Parameters<Store["remove"]>) {
    return this.run("remove", () => this.inner.remove(...given));
  }

  useClock(clock: () => number): void {
    this.inner.useClock?.(clock);
  }

  /** From now on, from the call of this number. */
  failWhere(failing: Failing): void {
    this.calls = 0;
    this.failing = failing;
  }

  heal(): void {
    this.failing = undefined;
  }

  /** What is held, by kind and owner. */
  async held(): Promise<string[]> {
    const found: string[] = [];
    for (const kind of ["credential", "handle"]) {
      for await (const key of this.inner.list!(kind)) found.push(`${kind} of ${(await this.inner.read(key))!.value}`);
    }
    return found.sort();
  }

  private async run<T>(verb: Verb, act: () => Promise<T>): Promise<T> {
    this.calls += 1;
    const fault = await this.failing?.(this.calls, verb);
    if (fault === "before") throw new Error("The cable is cut");
    const answer = await act();
    if (fault === "after") throw new Error("The cable is cut");
    return answer;
  }
}

interface Broken {
  readonly store: BreakingStore;
  readonly target: TestApp;
}

function broken(): Broken {
  const store = new BreakingStore();
  return { store, target: testApp({ store }) };
}

/** Alice with two passkeys. */
async function withPasskeys(): Promise<Broken & { readonly jar: Jar; readonly ids: readonly string[] }> {
  const { store, target } = broken();
  const { device, jar } = await holder(target, "alice");
  const second = softwareAuthenticator();
  await enrollWith(jar, second);
  const ids = [device, second].map(({ passkeys }) => passkeys[0]!.id);
  expect(await store.held()).toEqual(["credential of u1", "credential of u1", "handle of u1"]);
  return { store, target, jar, ids };
}

/** Whether another user can register a credential of this id. */
async function isFree(target: TestApp, id: string, name = "mallory"): Promise<boolean> {
  const lie = { id, attestedId: id };
  const { status } = await enrollWith(await passwordGiven(target, name), softwareAuthenticator(), lie);
  return status === 201;
}

const FAULTS = ["before", "after"] as const;

describe("an erase that fails midway", () => {
  test.each(FAULTS)("%s any one of its steps is whole when it is asked for again", async (when) => {
    let first: boolean | string = "failed";
    for (let step = 1; first === "failed"; step += 1) {
      const { store, target } = await withPasskeys();
      store.failWhere((call) => (call === step ? when : undefined));
      first = await target.mfa.accounts.erase("u1").catch(() => "failed");
      store.heal();
      // Where the answer of the last step alone was lost, there is nothing left to be asked for.
      const isDone = first === true || (await isForgotten(store));
      expect([step, await target.mfa.accounts.erase("u1")]).toEqual([step, !isDone]);
      expect([step, await store.held()]).toEqual([step, []]);
      expect([step, await target.mfa.accounts.erase("u1")]).toEqual([step, false]);
      const told = target.events.filter(({ action }) => action === "account-erased");
      expect([step, told.length]).toEqual([step, isDone && first === "failed" ? 0 : 1]);
      await expectForgotten(target);
    }
  });

  async function isForgotten({ inner }: BreakingStore): Promise<boolean> {
    return !/enrolled|looseClaims/.test((await inner.read("account:u1"))!.value);
  }

  test("and goes on failing is whole in the end, whatever stays away in between", async () => {
    const { store, target } = await withPasskeys();
    store.failWhere((_call, verb) => (verb === "remove" ? "before" : undefined));
    for (let times = 0; times < 3; times += 1) {
      await expect(target.mfa.accounts.erase("u1")).rejects.toMatchObject({ code: "unavailable" });
    }
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
    store.heal();
    expect(await target.mfa.accounts.erase("u1")).toBe(true);
    expect(await store.held()).toEqual([]);
    await expectForgotten(target);
  });

  test("takes along what a removal could not give up before", async () => {
    const { store, target, ids } = await withPasskeys();
    const [first] = await target.mfa.accounts.factors("u1");
    store.failWhere((_call, verb) => (verb === "remove" ? "before" : undefined));
    expect(await target.mfa.accounts.removeFactor("u1", first!.id)).toBe(true);
    store.heal();
    expect(await store.held()).toHaveLength(3);
    expect(await target.mfa.accounts.erase("u1")).toBe(true);
    expect(await store.held()).toEqual([]);
    expect(await isFree(target, ids[0]!)).toBe(true);
  });

  async function expectForgotten({ clock, store }: TestApp): Promise<void> {
    clock.advance(31 * 24 * HOUR);
    expect(await store.read("account:u1")).toBeUndefined();
  }
});

/** Does something else as a whole before the call of that number. Answers whether there was one. */
function before(step: number, store: BreakingStore, act: () => PromiseLike<unknown>): () => boolean {
  let isDone = false;
  store.failWhere(async (call) => {
    if (call !== step) return undefined;
    store.heal();
    isDone = true;
    await act();
    return undefined;
  });
  return () => isDone;
}

describe("an account that is erased beside a ceremony", () => {
  test("while options are asked for holds nothing afterwards", async () => {
    for (let step = 1; ; step += 1) {
      const { store, target } = broken();
      const { phone } = await enrolled(target, "alice");
      const jar = await full(target, "alice", phone);
      const isErased = before(step, store, () => target.mfa.accounts.erase("u1"));
      await jar.post("/2fa/passkey/enroll/options");
      store.heal();
      if (!isErased()) {
        expect(step).toBeGreaterThan(4);
        return;
      }
      expect([step, await store.held()]).toEqual([step, []]);
    }
  });

  test("while a passkey is added holds nothing, or that one", async () => {
    for (let step = 1; ; step += 1) {
      const { store, target } = await withPasskeys();
      const jar = await passwordGiven(target, "carol");
      const credential = softwareAuthenticator().create(await creationOptions(jar));
      const isErased = before(step, store, () => target.mfa.accounts.erase("u3"));
      await jar.post("/2fa/passkey/enroll", { credential });
      store.heal();
      if (!isErased()) {
        expect(step).toBeGreaterThan(4);
        return;
      }
      const left = (await store.held()).filter((each) => each.endsWith("u3"));
      const { enrolled: isEnrolled } = await target.mfa.accounts.status("u3");
      expect([step, left]).toEqual([step, isEnrolled ? expect.anything() : []]);
    }
  });
});

describe("what is added to an account stays held for it", () => {
  test("a passkey, whatever else is changed in the settings beside it", async () => {
    for (let step = 1; ; step += 1) {
      const { store, target } = broken();
      const { jar } = await holder(target, "alice");
      const factorId = (await target.mfa.accounts.factors("u1"))[0]!.id;
      const device = softwareAuthenticator();
      const credential = device.create(await creationOptions(jar));
      const change = { label: "Renamed" };
      const isBeside = before(step, store, () => jar.post(`/2fa/factors/${factorId}/rename`, change));
      expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
      store.heal();
      expect([step, await store.held()]).toEqual([step, ["credential of u1", "credential of u1", "handle of u1"]]);
      if (!isBeside()) {
        expect(step).toBeGreaterThan(4);
        return;
      }
    }
  });

  test.each(["its removal's end beside that", "that beside its removal's end"])(
    "a device that is set up again: %s",
    async (order) => {
      for (let step = 1; ; step += 1) {
        const { again, change, jar, phone, store } = await removed();
        const [first, second] = order.startsWith("its") ? [again, change] : [change, again];
        const isBeside = before(step, store, second);
        await first();
        store.heal();
        if (!isBeside()) {
          expect(step).toBeGreaterThan(4);
          return;
        }
        expect([step, await store.held()]).toEqual([step, ["credential of u1"]]);
        const listed = await jar.post("/2fa/push/requests", await phone.requestsBody());
        expect([step, listed.status]).toEqual([step, 200]);
      }
    },
  );

  /** Alice without her device, whose id could not be given up: the next change of hers does that. She can set it up again. */
  async function removed() {
    const { jar, phone, store, target } = await withDevice();
    store.failWhere((_call, verb) => (verb === "remove" ? "before" : undefined));
    await jar.post(`/2fa/factors/${phone.factorId}/remove`);
    store.heal();
    const id = (await target.mfa.accounts.factors("u1"))[0]!.id;
    const body = await deviceBody(jar, phone);
    const again = async () => expect((await jar.post("/2fa/push/enroll", body)).status).toBe(201);
    const change = () => jar.post(`/2fa/factors/${id}/rename`, { label: "Renamed" });
    return { again, change, jar, phone, store };
  }

  /** Alice with an app and a device, in a login that may change both. */
  async function withDevice(): Promise<Broken & { readonly jar: Jar; readonly phone: Phone }> {
    const store = new BreakingStore();
    const target = testApp({ store, options: { methods: pushMethods(new TestChannel()) } });
    const { phone: totp } = await enrolled(target, "alice");
    const jar = await full(target, "alice", totp);
    const device = await phone(target);
    await device.enroll(jar);
    return { store, target, jar, phone: device };
  }

  async function deviceBody(jar: Jar, device: Phone): Promise<object> {
    const { body } = await jar.post("/2fa/push/enroll/options");
    return device.enrollBody((body as { challenge: string }).challenge);
  }
});

describe("a passkey that was refused leaves its id to others", () => {
  async function made(jar: Jar, lie: Tampering = {}): Promise<{ id: string; credential: object }> {
    const id = randomText(32);
    const credential = softwareAuthenticator().create(await creationOptions(jar), { id, attestedId: id, ...lie });
    return { id, credential };
  }

  test("where its account had become full", async () => {
    const { target } = broken();
    const { jar } = await holder(target, "alice");
    const { id, credential } = await made(jar);
    for (let number = 0; number < 18; number += 1) {
      await target.mfa.accounts.importTotp("u1", { secret: secretNumber(number) });
    }
    const answer = await jar.post("/2fa/passkey/enroll", { credential });
    expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    expect(await isFree(target, id)).toBe(true);
  });

  test("where its login had ended", async () => {
    const { target } = broken();
    const { jar } = await holder(target, "alice");
    const { id, credential } = await made(jar);
    await target.mfa.accounts.signOutEverywhere("u1");
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(410);
    expect(await isFree(target, id)).toBe(true);
  });

  test("where its proof had become too old", async () => {
    const { target } = broken();
    const { jar } = await holder(target, "alice");
    target.clock.advance(14 * MINUTE);
    const { id, credential } = await made(jar);
    target.clock.advance(2 * MINUTE);
    expect((await jar.post("/2fa/passkey/enroll", { credential })).body.code).toBe("step-up-required");
    expect(await isFree(target, id)).toBe(true);
  });

  test("where its owner removed it", async () => {
    const { jar, ids, target } = await withPasskeys();
    const [first] = await target.mfa.accounts.factors("u1");
    expect((await jar.post(`/2fa/factors/${first!.id}/remove`)).status).toBe(204);
    expect([await isFree(target, ids[0]!), await isFree(target, ids[1]!, "dave")]).toEqual([true, false]);
  });

  test.each(["disable", "reset"])("where all were removed at once: %s", async (how) => {
    const { jar, ids, store, target } = await withPasskeys();
    if (how === "disable") await jar.post("/2fa/disable");
    else await target.mfa.accounts.reset("u1");
    expect(await store.held()).toEqual(["handle of u1"]);
    expect(await isFree(target, ids[1]!)).toBe(true);
  });

  test.each(FAULTS)("where the store failed %s any step, once the account is touched again", async (when) => {
    let answered = 0;
    for (let step = 1; answered !== 201; step += 1) {
      const { store, target } = broken();
      const { jar } = await holder(target, "alice");
      const { credential } = await made(jar);
      store.failWhere((call) => (call === step ? when : undefined));
      answered = (await jar.post("/2fa/passkey/enroll", { credential })).status;
      store.heal();
      const { factors } = await target.mfa.accounts.export("u1");
      await target.mfa.accounts.removeFactor("u1", factors[0]!.id);
      expect([step, await store.held()]).toEqual([
        step,
        [...factors.slice(1).map(() => "credential of u1"), "handle of u1"],
      ]);
    }
  });

  test("and one that its own account has got meanwhile stays there", async () => {
    for (let step = 1; ; step += 1) {
      const { store, target } = broken();
      const jar = await passwordGiven(target, "alice");
      const id = randomText(32);
      const [one, other] = [await made(jar, { id, attestedId: id }), await made(jar, { id, attestedId: id })];
      const isBeside = before(step, store, () => jar.post("/2fa/passkey/enroll", { credential: other.credential }));
      await jar.post("/2fa/passkey/enroll", { credential: one.credential });
      store.heal();
      if (!isBeside()) {
        expect(step).toBeGreaterThan(4);
        return;
      }
      expect([step, await store.held()]).toEqual([step, ["credential of u1", "handle of u1"]]);
      expect([step, await isFree(target, id)]).toEqual([step, false]);
    }
  });

  test("and one that another user has stays theirs", async () => {
    const { ids, store, target } = await withPasskeys();
    expect(await isFree(target, ids[0]!)).toBe(false);
    expect((await store.held()).filter((each) => each.startsWith("credential"))).toEqual([
      "credential of u1",
      "credential of u1",
    ]);
  });
});

function secretNumber(number: number): string {
  return `JBSWY3DPEHPK3PXPJBSWY3DPEHPK3P${String.fromCharCode(65 + number)}A`;
}
