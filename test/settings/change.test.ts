import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

async function alice() {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  return { target, ...factor, jar: await full(target, "alice", factor.phone) };
}

describe("a factor is renamed", () => {
  test("by its owner, and shown by that name at the next login", async () => {
    const { target, jar, factorId } = await alice();
    const answer = await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Blue phone" });
    expect([answer.status, answer.body.factor]).toMatchObject([
      200,
      { id: factorId, type: "totp", label: "Blue phone" },
    ]);
    expect((await (await pending(target, "alice")).get("/2fa")).body.methods[0].factors[0].label).toBe("Blue phone");
  });

  test("without control characters, to sixty-four characters at most", async () => {
    const { jar, factorId } = await alice();
    const label = `\u0007A\u202Eb\r\n${"\u{1F600}".repeat(100)}`;
    const { body } = await jar.post(`/2fa/factors/${factorId}/rename`, { label });
    expect(body.factor.label).toBe(`A b ${"\u{1F600}".repeat(60)}`);
  });

  test.each([
    ["no name", {}],
    ["an empty one", { label: "" }],
    ["blanks", { label: "  \t " }],
    ["a number", { label: 5 }],
    ["a list", { label: ["a"] }],
    ["one too long to look at", { label: "a".repeat(1025) }],
  ])("not to %s: 400", async (_name, body) => {
    const { jar, factorId } = await alice();
    const answer = await jar.post(`/2fa/factors/${factorId}/rename`, body);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
  });

  test("with a form: 303 to the settings", async () => {
    const { jar, factorId } = await alice();
    const answer = await jar.form(`/2fa/factors/${factorId}/rename`, { label: "Blue" });
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa/settings"]);
  });
});

describe("a factor is removed", () => {
  test("by its owner; as the last one, nobody is asked for one any more", async () => {
    const { target, jar, factorId } = await alice();
    const answer = await jar.post(`/2fa/factors/${factorId}/remove`);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect((await jar.get("/")).body.status).toBe("not-enrolled");
    expect(await (await pending(target, "alice")).isIn()).toBe(true);
    expect(await target.mfa.accounts.status("u1")).toEqual({
      enrolled: false,
      methods: [],
      backupCodesRemaining: 0,
      disabled: [],
    });
  });

  test("and opens nothing from then on, while another does", async () => {
    const { target, jar, phone, factorId } = await alice();
    const second = await jar.enroll();
    await jar.post(`/2fa/factors/${factorId}/remove`);
    const login = await pending(target, "alice");
    expect((await login.verify(phone.code(target.clock()))).status).toBe(401);
    expect((await login.verify(second.phone.code(target.clock()))).status).toBe(200);
  });

  test("and every other login ends", async () => {
    const { target, jar, phone, factorId } = await alice();
    const other = await full(target, "alice", phone);
    await jar.post(`/2fa/factors/${factorId}/remove`);
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
  });

  test("after which a new one has another secret", async () => {
    const { jar, phone, factorId } = await alice();
    await jar.post(`/2fa/factors/${factorId}/remove`);
    expect((await jar.enroll()).phone.secret).not.toBe(phone.secret);
  });
});

describe("a factor that is not there", () => {
  test.each(["rename", "remove"])("or is another user's cannot be changed: %s is 404 for both", async (verb) => {
    const { target, jar } = await alice();
    const mallory = await enrolled(target, "mallory");
    for (const id of [mallory.factorId, "nobody", "..", "%00"]) {
      const answer = await jar.post(`/2fa/factors/${id}/${verb}`, { label: "x" });
      expect([id, answer.status, answer.body.code]).toEqual([id, 404, "not-found"]);
    }
    expect(await target.mfa.accounts.factors("u2")).toHaveLength(1);
  });

  test("nor can the set of backup codes, which is no factor of its own", async () => {
    const { target, jar } = await alice();
    const { methods } = (await (await pending(target, "alice")).get("/2fa")).body as {
      methods: { type: string; factors: { id: string }[] }[];
    };
    const { id } = methods.find(({ type }) => type === "backup-code")!.factors[0]!;
    expect((await jar.post(`/2fa/factors/${id}/remove`)).status).toBe(404);
    expect((await jar.get("/2fa/settings")).body.backupCodes.remaining).toBe(10);
  });
});

describe("the second factor is switched off", () => {
  test("with every factor, backup code and other login", async () => {
    const { target, jar, phone, backupCodes } = await alice();
    const other = await full(target, "alice", phone);
    await jar.enroll();
    const answer = await jar.post("/2fa/disable");
    expect([answer.status, await jar.isIn(), await other.isIn()]).toEqual([204, true, false]);
    expect((await jar.get("/2fa/settings")).body).toMatchObject({
      factors: [],
      backupCodes: { remaining: 0 },
      devices: [],
    });
    const login = await pending(target, "alice");
    expect(await login.isIn()).toBe(true);
    expect((await login.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(401);
  });

  test("and can be switched on again in the same login", async () => {
    const { jar } = await alice();
    await jar.post("/2fa/disable");
    expect((await jar.enroll()).backupCodes).toHaveLength(10);
    expect((await jar.get("/")).body.status).toBe("verified");
  });
});

describe("all other sessions are ended", () => {
  test("and this one goes on", async () => {
    const { target, jar, phone } = await alice();
    const others = [await full(target, "alice", phone), await pending(target, "alice")];
    expect((await jar.post("/2fa/sessions/revoke-others")).status).toBe(204);
    expect(await jar.isIn()).toBe(true);
    for (const other of others) expect((await other.get("/2fa")).status).toBe(410);
    expect((await jar.get("/2fa/settings")).body.sessions).toMatchObject([{ current: true }]);
  });

  test("of a user without a second factor too", async () => {
    const target = testApp();
    const [jar, other] = [await pending(target, "carol"), await pending(target, "carol")];
    expect((await jar.post("/2fa/sessions/revoke-others")).status).toBe(204);
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
  });

  test("of that user and nobody else", async () => {
    const { target, jar } = await alice();
    const mallory = new Jar(target);
    await mallory.login("mallory");
    await jar.post("/2fa/sessions/revoke-others");
    expect(await mallory.isIn()).toBe(true);
  });
});

describe("too many factors", () => {
  test("are refused: twenty are enough, with the set of backup codes among them", async () => {
    const { target, jar } = await alice();
    for (let count = 0; count < 18; count += 1) {
      await target.mfa.accounts.importTotp("u1", { secret: secretNumber(count) });
    }
    const answer = await jar.post("/2fa/totp/enroll");
    expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
  });

  test("are refused to imports as well, with the reason, and nothing has changed", async () => {
    const target = testApp();
    const { accounts } = target.mfa;
    for (let count = 0; count < 20; count += 1) await accounts.importTotp("u1", { secret: secretNumber(count) });
    const events = target.events.length;
    const refused = accounts.importTotp("u1", { secret: secretNumber(20) });
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(/20 factors.*remove one/);
    expect([(await accounts.factors("u1")).length, target.events.length]).toEqual([20, events]);
    const [first] = await accounts.factors("u1");
    await accounts.removeFactor("u1", first!.id);
    await accounts.importTotp("u1", { secret: secretNumber(20) });
    expect(await accounts.factors("u1")).toHaveLength(20);
  });

  test("are refused to one that was begun before", async () => {
    const { target, jar } = await alice();
    const { factorId, uri } = (await jar.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    for (let count = 0; count < 18; count += 1) {
      await target.mfa.accounts.importTotp("u1", { secret: secretNumber(count) });
    }
    const code = authenticatorApp(uri).code(target.clock());
    const answer = await jar.post("/2fa/totp/enroll/confirm", { factorId, code });
    expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(19);
  });
});

function secretNumber(number: number): string {
  return `JBSWY3DPEHPK3PXPJBSWY3DPEHPK3P${String.fromCharCode(65 + number)}A`;
}
