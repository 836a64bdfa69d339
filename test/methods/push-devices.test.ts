import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { enrollLines } from "../../lib/core/device-lines.js";
import { testApp, type TestApp, type TestAppOptions, userNamed } from "../support/app.js";
import { HOUR, MINUTE, passworded, storedAccount, trusted } from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { phone } from "../support/phone.js";
import {
  bodyWith,
  challengeFor,
  channel,
  deviceOwner,
  ecKey,
  edKey,
  ENDPOINT,
  enrollWith,
  p256Forms,
  pushApp,
  pushMethods,
  rsaKey,
  SUBSCRIPTION,
} from "../support/push-devices.js";
import { NOBODYS_ID } from "../support/routes.js";

interface Row {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
}

async function devices({ mfa }: TestApp, name: string): Promise<readonly Row[]> {
  return (await mfa.accounts.factors(userNamed(name).id)).filter(({ type }) => type === "push");
}

async function visitor(target: TestApp, name = "alice"): Promise<Jar> {
  return passworded(target, "JSON", name);
}

/** Refused as everything about a device's signature is. */
const REFUSED = [401, "invalid-code"];

describe("a device as the first factor", () => {
  test("is enrolled by a signature, and brings ten backup codes", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const device = await phone(target);
    const answer = await enrollWith(jar, device, { label: "My phone" });
    expect(answer.status).toBe(201);
    expect(answer.body.factor).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      type: "push",
      label: "My phone",
      createdAt: new Date(target.clock()).toISOString(),
      lastUsedAt: new Date(target.clock()).toISOString(),
      hint: "no-notifications",
    });
    expect(new Set(answer.body.backupCodes as string[]).size).toBe(10);
    expect(actions(target)).toContain("factor-enrolled");
    expect(await jar.isIn()).toBe(true);
  });

  test("switches the second factor on: the next login waits for it", async () => {
    const target = pushApp();
    await deviceOwner(target, "alice");
    const jar = await visitor(target);
    expect([await jar.isIn(), (await jar.get("/account")).body.methods]).toEqual([
      false,
      [expect.objectContaining({ type: "push" }), expect.objectContaining({ type: "backup-code" })],
    ]);
  });

  test("ends the other logins, or leaves them waiting where its owner says so", async () => {
    const target = pushApp({ options: { endOtherSessions: "ask" } });
    const [jar, other] = [await visitor(target), await visitor(target)];
    await other.isIn();
    expect((await enrollWith(jar, await phone(target), { endOtherSessions: "false" })).status).toBe(201);
    expect((await other.get("/account")).body.code).toBe("second-factor-required");
  });
});

describe("a device beside another factor", () => {
  test("brings no codes, and ends every other login and the trust in browsers", async () => {
    const target = pushApp();
    const { phone: app } = await enrolled(target, "alice");
    const other = await trusted(target, "alice", app);
    const jar = await full(target, "alice", app);
    actions(target);
    const answer = await enrollWith(jar, await phone(target));
    expect([answer.status, answer.body.backupCodes]).toEqual([201, undefined]);
    expect(actions(target)).toEqual(["factor-enrolled"]);
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
    await other.login("alice");
    expect((await other.get("/account")).body.code).toBe("second-factor-required");
  });

  test("is named as its owner says, else after the browser; an app is a device, and names are numbered", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const named = async (userAgent: string, label?: string) => {
      const body = { ...(await (await phone(target)).enrollBody(await challengeFor(jar))), label };
      expect((await jar.post("/2fa/push/enroll", body).set("User-Agent", userAgent)).status).toBe(201);
    };
    await named(browser);
    await named(browser);
    await named("okhttp/4.12.0");
    await named("okhttp/4.12.0", "My\u0000phone");
    await named("Acme call 0900 123456");
    const labels = (await devices(target, "alice")).map(({ label }) => label);
    expect(labels).toEqual(["Firefox on Linux", "Firefox on Linux 2", "Device", "My phone", "Device 2"]);
  });

  test("there are twenty at most, with the backup codes", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const statuses: number[] = [];
    for (let count = 0; count < 30 && !statuses.includes(409); count += 1) {
      const asked = await jar.post("/2fa/push/enroll/options");
      statuses.push(asked.status);
      if (asked.status === 200)
        await jar.post("/2fa/push/enroll", await (await phone(target)).enrollBody(asked.body.challenge));
    }
    expect([statuses.length, statuses.at(-1), (await devices(target, "alice")).length]).toEqual([20, 409, 19]);
  });
});

describe("the challenge", () => {
  test("is told with its end, five minutes on, and is good until then", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const device = await phone(target);
    const { body } = await jar.post("/2fa/push/enroll/options");
    expect(body).toEqual({
      challenge: expect.stringMatching(/^[\w-]+$/),
      expiresAt: new Date(target.clock() + 5 * MINUTE).toISOString(),
    });
    target.clock.advance(5 * MINUTE - 1);
    expect((await jar.post("/2fa/push/enroll", await device.enrollBody(body.challenge))).status).toBe(201);
    const late = await challengeFor(jar);
    target.clock.advance(5 * MINUTE);
    const answer = await jar.post("/2fa/push/enroll", await (await phone(target)).enrollBody(late));
    expect([answer.status, answer.body.code]).toEqual(REFUSED);
  });

  test("is used once, whatever came of it", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const [device, other] = [await phone(target), await phone(target)];
    const body = await device.enrollBody(await challengeFor(jar));
    const wrong = { ...body, signature: await device.sign("something else") };
    expect((await jar.post("/2fa/push/enroll", wrong)).body.code).toBe("invalid-code");
    expect((await jar.post("/2fa/push/enroll", body)).body.code).toBe("invalid-code");
    const next = await challengeFor(jar);
    expect((await jar.post("/2fa/push/enroll", await device.enrollBody(next))).status).toBe(201);
    expect((await jar.post("/2fa/push/enroll", await other.enrollBody(next))).body.code).toBe("invalid-code");
    expect(await devices(target, "alice")).toHaveLength(1);
  });

  test("is worth nothing in another login, for another user, in another stage, and for a passkey", async () => {
    const target = pushApp();
    const [jar, own, foreign] = [await visitor(target), await visitor(target), await visitor(target, "mallory")];
    const device = await phone(target);
    const passkey = (await jar.post("/2fa/passkey/enroll/options")).body.challenge as string;
    const challenges = [await challengeFor(own), await challengeFor(foreign), passkey, "nonsense", NOBODYS_ID];
    for (const challenge of challenges) {
      const answer = await jar.post("/2fa/push/enroll", await device.enrollBody(challenge));
      expect([challenge, answer.status, answer.body.code]).toEqual([challenge, ...REFUSED]);
    }
    const earlier = await challengeFor(jar);
    await jar.enroll();
    expect((await jar.post("/2fa/push/enroll", await device.enrollBody(earlier))).body.code).toBe("invalid-code");
    expect([await devices(target, "alice"), await devices(target, "mallory")]).toEqual([[], []]);
  });

  test("thirty answers at once enroll one device", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const challenge = await challengeFor(jar);
    const phones = await Promise.all(Array.from({ length: 30 }, () => phone(target)));
    const bodies = await Promise.all(phones.map((each) => each.enrollBody(challenge)));
    const answers = await Promise.all(bodies.map((body) => jar.post("/2fa/push/enroll", body)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await devices(target, "alice")).toHaveLength(1);
  });
});

describe("the proof", () => {
  const P256 = p256Forms();

  test.each(Object.keys(P256.forms))("a key on P-256, %s", async (form) => {
    const target = pushApp();
    const jar = await visitor(target);
    const body = await bodyWith(jar, { publicKey: P256.forms[form]!, sign: P256.sign });
    const answer = await jar.post("/2fa/push/enroll", body);
    if (form === "spki") expect(answer.status).toBe(201);
    else expect([answer.status, answer.body.code]).toEqual(REFUSED);
  });

  test.each([
    ["P-384", () => ecKey("secp384r1")],
    ["P-521", () => ecKey("secp521r1")],
    ["secp256k1", () => ecKey("secp256k1")],
    ["RSA", rsaKey],
    ["Ed25519", edKey],
  ] as const)("a key of another kind is refused: %s", async (_kind, make) => {
    const target = pushApp();
    const jar = await visitor(target);
    const answer = await jar.post("/2fa/push/enroll", await bodyWith(jar, make()));
    expect([answer.status, answer.body.code]).toEqual(REFUSED);
    expect(await devices(target, "alice")).toEqual([]);
  });

  test("a signature that is none of this key's, over other lines, or written otherwise is refused", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const [device, other] = [await phone(target), await phone(target)];
    const right = (challenge: string) => device.sign(enrollLines(challenge));
    const lies: Readonly<Record<string, (challenge: string) => string | Promise<string>>> = {
      "another key's": (challenge) => other.sign(enrollLines(challenge)),
      "the challenge alone": (challenge) => device.sign(challenge),
      "another purpose": (challenge) => device.sign(enrollLines(challenge).replace("enroll", "decide")),
      "a line more": (challenge) => device.sign(`${enrollLines(challenge)}\n`),
      "CR LF": (challenge) => device.sign(enrollLines(challenge).replace("\n", "\r\n")),
      DER: (challenge) => P256.sign(enrollLines(challenge), "der"),
      "cut short": async (challenge) => (await right(challenge)).slice(0, -2),
      padded: async (challenge) => `${await right(challenge)}==`,
      hexadecimal: async (challenge) => Buffer.from(await right(challenge), "base64url").toString("hex"),
      zeros: () => Buffer.alloc(64).toString("base64url"),
    };
    for (const [lie, make] of Object.entries(lies)) {
      const challenge = await challengeFor(jar);
      const body = await device.enrollBody(challenge);
      const answer = await jar.post("/2fa/push/enroll", { ...body, signature: await make(challenge) });
      expect([lie, answer.status, answer.body.code]).toEqual([lie, ...REFUSED]);
    }
    expect(await devices(target, "alice")).toEqual([]);
    expect(actions(target).filter((each) => each === "factor-failed")).toHaveLength(Object.keys(lies).length);
  });

  test("the same device again is a conflict, in its account and in any other", async () => {
    const target = pushApp();
    const { device, jar } = await deviceOwner(target, "alice");
    const mallory = await visitor(target, "mallory");
    for (const each of [jar, mallory]) {
      const answer = await enrollWith(each, device);
      expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    }
    expect([(await devices(target, "alice")).length, await devices(target, "mallory")]).toEqual([1, []]);
  });

  test("one device that is enrolled thirty times at once, by two users, is one factor of one of them", async () => {
    const target = pushApp();
    const jars = [await visitor(target), await visitor(target, "mallory")];
    const device = await phone(target);
    const bodies = await Promise.all(
      Array.from({ length: 30 }, async (_none, index) => device.enrollBody(await challengeFor(jars[index % 2]!))),
    );
    const answers = await Promise.all(bodies.map((body, index) => jars[index % 2]!.post("/2fa/push/enroll", body)));
    const own = [await devices(target, "alice"), await devices(target, "mallory")].map(({ length }) => length);
    expect([answers.filter(({ status }) => status === 201).length, own.toSorted()]).toEqual([1, [0, 1]]);
    expect(answers.filter(({ status }) => ![201, 401, 409, 410].includes(status))).toEqual([]);
  });
});

describe("how a device is reached", () => {
  test("by a channel that is configured, or not at all; its owner sees which", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const reaches: readonly (readonly [object, string])[] = [
      [{}, "no-notifications"],
      [{ channel: "web-push", subscription: SUBSCRIPTION }, "web-push"],
      [{ channel: "fcm", subscription: "a-token:of-an-app" }, "fcm"],
      [{ channel: "", subscription: "" }, "no-notifications"],
      [{ channel: null, subscription: null }, "no-notifications"],
    ];
    for (const [members] of reaches) expect((await enrollWith(jar, await phone(target), members)).status).toBe(201);
    expect((await devices(target, "alice")).map(({ hint }) => hint)).toEqual(reaches.map(([, hint]) => hint));
    const later = testApp({
      clock: target.clock,
      store: target.store,
      options: { methods: pushMethods({ channels: [] }) },
    });
    expect(new Set((await devices(later, "alice")).map(({ hint }) => hint))).toEqual(new Set(["no-notifications"]));
  });

  test("an unknown channel, and what the channel would not send to, is 400 with the reason, and the challenge is good still", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    const body = await (await phone(target)).enrollBody(await challengeFor(jar));
    for (const [members, reason] of [
      [{ channel: "smoke", subscription: SUBSCRIPTION }, "unknown-channel"],
      [{ channel: "web-push", subscription: { endpoint: "http://169.254.169.254/" } }, "host-not-allowed"],
    ] as const) {
      const answer = await jar.post("/2fa/push/enroll", { ...body, ...members });
      expect([answer.status, answer.body.code, answer.body.reason]).toEqual([400, "invalid-request", reason]);
    }
    expect((await jar.post("/2fa/push/enroll", body)).status).toBe(201);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error(`not ${ENDPOINT}`);
      },
    ],
    ["answers what is no reason", () => 7 as never],
  ])("a channel whose problem() %s refuses, and is told of", async (_how, problem) => {
    const target = pushApp({}, { channels: [channel("web-push", { problem })] });
    const jar = await visitor(target);
    const answer = await enrollWith(jar, await phone(target), { channel: "web-push", subscription: SUBSCRIPTION });
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    expect(target.errors.map(({ place }) => place)).toEqual(["sender"]);
    expect([answer.text.includes(ENDPOINT), await devices(target, "alice")]).toEqual([false, []]);
  });

  test("a channel without problem() takes whatever there is", async () => {
    const target = pushApp({}, { channels: [{ name: "own", send: async () => undefined }] });
    const jar = await visitor(target);
    const answer = await enrollWith(jar, await phone(target), { channel: "own", subscription: { any: ["thing", 1] } });
    expect([answer.status, answer.body.factor.hint]).toEqual([201, "own"]);
  });

  test("a form sends it as JSON text", async () => {
    const target = pushApp();
    const jar = await visitor(target);
    for (const [name, subscription] of [
      ["web-push", JSON.stringify(SUBSCRIPTION)],
      ["fcm", JSON.stringify("a-token")],
      ["fcm", "a-token"],
    ] as const) {
      const proof = await (await phone(target)).enrollBody(await challengeFor(jar));
      const form = { ...proof, channel: name, subscription, label: "", hardware: "on", endOtherSessions: "true" };
      const answer = await jar.form("/2fa/push/enroll", form);
      expect([200, 302, 303]).toContain(answer.status);
    }
    expect((await devices(target, "alice")).map(({ hint }) => hint)).toEqual(["web-push", "fcm", "fcm"]);
  });
});

describe("who may not", () => {
  test("nobody, a pending login, a trusted browser, and one whose proof is stale", async () => {
    const target = pushApp();
    const { phone: app } = await enrolled(target, "alice");
    const inside = await full(target, "alice", app);
    const remembered = await trusted(target, "alice", app);
    await remembered.post("/logout");
    await remembered.login("alice");
    const device = await phone(target);
    const challenge = await challengeFor(inside);
    target.clock.advance(HOUR);
    const expected = {
      "login-required": new Jar(target),
      "second-factor-required": await visitor(target),
      "step-up-required": inside,
    };
    const body = await device.enrollBody(challenge);
    for (const [code, jar] of [...Object.entries(expected), ["step-up-required", remembered] as const]) {
      for (const path of ["/2fa/push/enroll/options", "/2fa/push/enroll"]) {
        expect([path, (await jar.post(path, body)).body.code]).toEqual([path, code]);
      }
    }
    expect(await devices(target, "alice")).toEqual([]);
  });

  test("a login whose proof went stale between challenge and answer", async () => {
    const target = pushApp();
    const { device, jar } = await deviceOwner(target, "alice");
    target.clock.advance(13 * MINUTE);
    const challenge = await challengeFor(jar);
    target.clock.advance(3 * MINUTE);
    const answer = await jar.post("/2fa/push/enroll", await (await phone(target)).enrollBody(challenge));
    expect(answer.body.code).toBe("step-up-required");
    expect((await devices(target, "alice")).map(({ id }) => id)).toEqual([device.factorId]);
  });

  test("before the first factor the password again, where the application checks it", async () => {
    const verifyPassword = async (user: { readonly name: string }, password: string) =>
      password === `${user.name}-password`;
    const target = pushApp({ options: { verifyPassword } });
    const jar = await visitor(target);
    target.clock.advance(HOUR);
    const post = (path: string, body: object) => jar.post(`/2fa/push/enroll${path}`, body);
    expect((await post("/options", {})).body.code).toBe("step-up-required");
    expect((await post("/options", { password: "wrong" })).status).toBe(401);
    const password = "alice-password";
    const body = await (await phone(target)).enrollBody(await challengeFor(jar, { password }));
    expect((await post("", body)).body.code).toBe("step-up-required");
    expect((await post("", { ...body, password })).status).toBe(201);
  });
});

describe("an owner", () => {
  test("renames and removes it; then the same device can be enrolled again, by whomever", async () => {
    const target = pushApp();
    const { device, jar } = await deviceOwner(target, "alice");
    await enrollWith(jar, await phone(target));
    const renamed = await jar.post(`/2fa/factors/${device.factorId}/rename`, { label: "Work phone" });
    expect([renamed.status, renamed.body.factor]).toMatchObject([200, { label: "Work phone", hint: "web-push" }]);
    expect((await jar.post(`/2fa/factors/${device.factorId}/remove`)).status).toBe(204);
    expect((await devices(target, "alice")).map(({ id }) => id)).not.toContain(device.factorId);
    const other = await visitor(target, "mallory");
    const answer = await enrollWith(other, device);
    expect([answer.status, answer.body.factor.id]).toEqual([201, device.factorId]);
  });

  test("sees it on the settings page, by its name and how it is reached", async () => {
    const target = pushApp();
    const { jar } = await deviceOwner(target, "alice");
    const { body } = await jar.get("/2fa/settings");
    expect(body.factors).toEqual([expect.objectContaining({ type: "push", label: "Device", hint: "web-push" })]);
    const { status, text } = await jar.page("/2fa/settings");
    expect([status, text.includes("Device")]).toEqual([200, true]);
  });

  test("hears nothing of its key: what is stored of it is public, or sealed", async () => {
    const target = pushApp();
    const { device } = await deviceOwner(target, "alice");
    const stored = (await storedAccount(target, "alice"))!;
    const { factors } = JSON.parse(stored) as { factors: { type: string; state: object }[] };
    expect(factors.find(({ type }) => type === "push")?.state).toEqual({
      deviceId: device.factorId,
      publicKey: device.publicKey,
      reached: { channel: "web-push", subscription: expect.any(String) },
    });
    expect(stored).not.toContain("canary");
  });
});

describe("what a device's word is worth", () => {
  const routes: TestAppOptions["routes"] = (app) => {
    app.get("/worth", (req, res) => void res.json(req.secondFactor));
  };
  const rowsOf = (file: string): string[] => {
    const text = readFileSync(fileURLToPath(new URL(`../../docs/${file}`, import.meta.url)), "utf8");
    return text.split("\n").map((line) => line.replace(/ *\| */g, "|"));
  };

  test.each([
    [false, "swk", "Password, approved on a device"],
    [true, "hwk", "Password, approved on a device that keeps its key in hardware"],
  ])("by its setting up and by its approval; hardware: %s", async (hardware, key, says) => {
    const target = pushApp({ routes });
    const device = await phone(target);
    const jar = await visitor(target);
    await device.enroll(jar, { hardware });
    const worth = { status: "verified", aal: 2, amr: [key, "pop", "mfa"], phishingResistant: false };
    expect((await jar.get("/worth")).body).toMatchObject(worth);
    target.clock.advance(MINUTE);
    const next = await visitor(target);
    const { number, requestId } = (await next.post("/2fa/push/send")).body as Record<"number" | "requestId", string>;
    await device.approve(number);
    expect((await next.post("/2fa/push/status", { requestId })).body).toMatchObject({ amr: worth.amr });
    const verifiedAt = new Date(target.clock()).toISOString();
    expect((await next.get("/worth")).body).toMatchObject({ ...worth, verifiedAt });
    const values = worth.amr.map((value) => `\`${value}\``).join(" ");
    expect(rowsOf("assurance.md")).toContain(`|${says}|\`verified\`|2|${values}|no|the last proof|`);
  });

  test("it is none by itself, and a device that is set up on a backup code is worth no more than that", async () => {
    const target = pushApp({ routes });
    const jar = await visitor(target);
    const { backupCodes } = await jar.enroll();
    const onCode = await visitor(target);
    await onCode.post("/2fa/backup-code", { code: backupCodes[0] });
    expect((await enrollWith(onCode, await phone(target))).status).toBe(201);
    const answer = await onCode.post("/2fa/backup-codes");
    expect([answer.status, answer.body.code, answer.body.except]).toEqual([401, "step-up-required", "backup-code"]);
  });
});
