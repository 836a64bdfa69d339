import { describe, expect, test } from "@jest/globals";
import type { UserReaders } from "express-second-factor";
import type { TestAppOptions, TestUser } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { ADDRESS, addDestination, type CodeJar, emailApp } from "../support/message-codes.js";

type Reader = UserReaders<TestUser>["emailVerified"];

/** A jar of Alice, of whose address (alice@acme.test) the application says this. */
async function jarOf(emailVerified?: Reader, more: TestAppOptions = {}): Promise<CodeJar> {
  const user = emailVerified === undefined ? {} : { emailVerified };
  const jar = new Jar(emailApp(undefined, { ...more, options: { user, ...more.options } }));
  await jar.login("alice");
  return jar;
}

describe("an address that the application says is not proved", () => {
  test.each<[string, object]>([
    ["none, so that it would be that one", {}],
    ["none, in a form", { address: "" }],
    ["that very one", { address: "alice@acme.test" }],
    ["that one, written otherwise", { address: "Alice@ACME.test" }],
  ])("cannot be set up for codes: given %s it is refused, and nothing is sent", async (_name, body) => {
    const jar = await jarOf(() => false);
    const answer = await jar.post("/2fa/email-code/enroll", body);
    expect([answer.status, answer.body]).toMatchObject([400, { code: "invalid-request", reason: "email-unverified" }]);
    expect(answer.body.detail).toContain("This address of your account is not confirmed yet.");
    expect(jar.target.outbox.messages).toEqual([]);
  });

  test("keeps nobody from another address, which its code proves", async () => {
    const jar = await jarOf(() => false);
    await addDestination(jar, { address: ADDRESS });
    expect((await jar.get("/2fa/settings")).body.factors).toMatchObject([{ type: "email-code" }]);
    const changed = await jar.post("/2fa/email-code/enroll", {
      replaces: (await jar.get("/2fa/settings")).body.factors[0].id as string,
    });
    expect(changed.body.reason).toBe("email-unverified");
  });

  test("is not offered by the page, which says what is wrong where it is typed", async () => {
    const jar = await jarOf(() => false);
    expect((await jar.page("/2fa/settings")).text).not.toContain("Leave it empty to use");
    const page = await jar.form("/2fa/email-code/enroll", { address: "alice@acme.test" });
    expect([page.status, page.text.includes("This address of your account is not confirmed yet.")]).toEqual([
      400,
      true,
    ]);
    expect((await (await jarOf(() => true)).page("/2fa/settings")).text).toContain("Leave it empty to use");
  });

  test("can be set up by the application itself, whose word it is", async () => {
    const jar = await jarOf(() => false);
    await jar.target.mfa.accounts.enrollEmail("u1", {
      address: "alice@acme.test",
      verifiedAt: jar.target.clock(),
      actor: "admin:1",
    });
    expect(await jar.target.mfa.accounts.factors("u1")).toMatchObject([{ type: "email-code" }]);
  });
});

describe("user.emailVerified", () => {
  test.each<[string, Reader, object, number]>([
    ["that answers true lets it", () => true, {}, 202],
    ["that is not given, with nothing in the user, lets it", undefined, {}, 202],
    ["that is not given, with true in the user, lets it", undefined, { emailVerified: true }, 202],
    ["that is not given, with null in the user, lets it: nothing is known", undefined, { emailVerified: null }, 202],
    ["that is not given, with false in the user, refuses it", undefined, { emailVerified: false }, 400],
    ["that answers nothing refuses it", (() => undefined) as unknown as Reader, {}, 400],
    ["that answers a promise refuses it", (async () => true) as unknown as Reader, {}, 400],
    ["that throws refuses it", () => missing(), {}, 400],
  ])("%s", async (_name, reader, more, status) => {
    const users = [{ id: "u1", name: "alice", email: "alice@acme.test", ...more }];
    const jar = await jarOf(reader, { users });
    expect((await jar.post("/2fa/email-code/enroll")).status).toBe(status);
  });

  test.each<[string, Reader]>([
    ["throws", () => missing()],
    ["answers nothing", (() => undefined) as unknown as Reader],
    ["answers a promise", (async () => true) as unknown as Reader],
  ])("that %s is told", async (_name, reader) => {
    const jar = await jarOf(reader);
    await jar.post("/2fa/email-code/enroll");
    expect(jar.target.errors).toContainEqual(expect.objectContaining({ place: "user.emailVerified" }));
  });

  test("that is no function is refused at start", async () => {
    await expect(jarOf("yes" as unknown as Reader)).rejects.toThrow(/user\.emailVerified: must be a function/);
  });
});

function missing(): never {
  throw new Error("The profile is away");
}
