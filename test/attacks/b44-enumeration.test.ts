import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, Jar, pending } from "../support/browser.js";
import { ask, copyOf, deviceCookie, harmless, MODES, type Mode, passworded, send, trusted } from "../support/attack.js";
import { PAGES, stateRoutes, wayBackRoutes } from "../support/routes.js";

/** Alice has a second factor, carol has none, and nobody is called eve. */
const NAMES = ["alice", "carol", "eve"] as const;

/** All a client learns from an answer, but when it came and which session it began. */
function learned({ status, text, headers }: Response): unknown {
  // How often an address failed is its own affair, whoever it failed for.
  const { date: _date, ratelimit: _left, ...told } = headers as Record<string, string>;
  const cookies = ([told["set-cookie"]].flat() as (string | undefined)[]).map((each) => each?.replace(/=.*?;/, "=;"));
  return { status, text, headers: { ...told, "set-cookie": cookies } };
}

async function prepared(): Promise<{ readonly target: TestApp; readonly factor: Enrolled }> {
  const target = testApp();
  return { target, factor: await enrolled(target, "alice") };
}

async function alike(answer: (name: string) => Promise<Response>): Promise<void> {
  const told = [];
  for (const name of NAMES) told.push(learned(harmless(await answer(name))));
  expect(told[1]).toEqual(told[0]);
  expect(told[2]).toEqual(told[0]);
}

describe("B44 who has a second factor, told to those who must not know", () => {
  test.each(MODES)(
    "B44 a wrong password is answered the same with a factor, without one and without an account (%s)",
    async (mode) => {
      const { target } = await prepared();
      for (const password of ["wrong", "", passwordOf("mallory")]) {
        await alike((username) => send(new Jar(target), mode, "/login", { username, password }));
      }
    },
  );

  test.each(MODES)("B44 no route tells anything before the password is right (%s)", async (mode) => {
    const { target } = await prepared();
    const after = async (name: string, look: (jar: Jar) => Promise<Response>): Promise<Response> => {
      const jar = new Jar(target);
      await send(jar, mode, "/login", { username: name, password: "wrong" });
      return look(jar);
    };
    for (const path of ["/", "/account", "/2fa/temporary-pass", "/2fa/settings/export", ...PAGES]) {
      await alike((name) => after(name, async (jar) => await ask(jar, mode, path)));
    }
    for (const { path, body } of [...stateRoutes(), ...wayBackRoutes()]) {
      // A challenge is random; what else is in it, the next test looks at.
      if (path.endsWith("/passkey/options")) continue;
      await alike((name) => after(name, (jar) => send(jar, mode, path, body)));
    }
  });

  test("B44 a passkey challenge for nobody names nobody's passkeys, whoever failed to sign in before", async () => {
    const { target } = await prepared();
    for (const username of NAMES) {
      const jar = new Jar(target);
      await jar.post("/login", { username, password: "wrong" });
      const { status, body } = await jar.post("/2fa/passkey/options", { username, userId: "u1" });
      expect([username, status, body.allowCredentials ?? []]).toEqual([username, 200, []]);
      expect(JSON.stringify({ ...body, challenge: "" })).not.toMatch(/alice|carol|eve|u1|acme\.test/);
    }
  });

  test("B44 a browser that alice trusts learns nothing from a wrong password", async () => {
    const { target, factor } = await prepared();
    const browser = await trusted(target, "alice", factor.phone);
    const names = [deviceCookie(browser)[0]];
    const told = [];
    for (const jar of [copyOf(browser, names), new Jar(target)]) {
      told.push(learned(await jar.post("/login", { username: "alice", password: "wrong" })));
    }
    expect(told[0]).toEqual(told[1]);
  });

  test("B44 where the password is right, the answer names kinds of factors and nothing that reaches their owner", async () => {
    const { target, factor } = await prepared();
    const jar = await pending(target, "alice");
    const answers = [
      await jar.login("alice"),
      await jar.get("/account"),
      await jar.get("/2fa"),
      await jar.post("/2fa/totp", { code: "000000" }),
    ];
    for (const { text } of answers) {
      expect(text).not.toMatch(/acme\.test|alice|"u1"|\+?\d{7,}|otpauth/);
      expect(text).not.toContain(factor.phone.secret);
    }
    const [login] = answers;
    expect(login!.body.methods.map(({ type }: { type: string }) => type)).toEqual(["totp", "backup-code"]);
    for (const { factors } of login!.body.methods as { factors: { hint?: string }[] }[]) {
      for (const { hint } of factors) expect(hint ?? "\u2022").toMatch(/\u2022/);
    }
  });

  test.each(MODES)(
    "B44 a wrong code is answered the same by factors that exist and factors that do not (%s)",
    async (mode: Mode) => {
      const target = testApp({ options: { policy: "required" } });
      await enrolled(target, "alice");
      const [withFactor, without] = [
        await passworded(target, "JSON", "alice"),
        await passworded(target, "JSON", "carol"),
      ];
      const told = [];
      for (const jar of [withFactor, without]) {
        const { status, body } = await jar.post("/2fa/totp", { code: "000000" });
        told.push([status, body]);
        expect((await send(jar, mode, "/2fa/totp", { code: "000000" })).status).toBe(401);
      }
      expect(told[0]).toEqual(told[1]);
    },
  );

  test("B44 wrong, used and foreign codes are one answer", async () => {
    const { target, factor } = await prepared();
    const { phone } = await enrolled(target, "mallory");
    const jar = await pending(target, "alice");
    const used = factor.phone.code(target.clock());
    expect((await (await pending(target, "alice")).verify(used)).status).toBe(200);
    const old = factor.phone.code(target.clock() - 3_600_000);
    const told = [];
    for (const code of [used, old, phone.code(target.clock()), "000000"]) told.push(learned(await jar.verify(code)));
    expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(told[0]).toMatchObject({ status: 401 });
    const paper = [];
    expect((await jar.post("/2fa/backup-code", { code: factor.backupCodes[0] })).status).toBe(200);
    const next = await pending(target, "alice");
    for (const code of [factor.backupCodes[0]!, "0000-0000-0000-0000"]) {
      paper.push(learned(await next.post("/2fa/backup-code", { code })));
    }
    expect(paper[0]).toEqual(paper[1]);
  });
});
