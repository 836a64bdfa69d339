import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { authenticatorApp } from "express-second-factor/testing";
import type { Notice } from "express-second-factor";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { deviceCookie, HOUR, MODES, type Mode, send, STEP } from "../support/attack.js";
import { overhear } from "../support/overheard.js";
import { found, PAGES, spellings, stateRoutes } from "../support/routes.js";

const KEY = randomBytes(32).toString("base64");

const overheard = overhear();
let environment: string | undefined;

beforeEach(() => {
  environment = process.env["NODE_ENV"];
});

afterEach(() => {
  process.env["NODE_ENV"] = environment;
});

interface Journey {
  readonly target: TestApp;
  readonly answers: readonly Response[];
  readonly notices: readonly Notice[];
  /** Shown once, in the answer of this index, and nowhere else. */
  readonly shownOnce: ReadonlyMap<number, readonly string[]>;
  /** In no answer's body at all. */
  readonly never: readonly string[];
  readonly typed: readonly string[];
}

async function journey(mode: Mode): Promise<Journey> {
  const notices: Notice[] = [];
  const target = testApp({
    options: {
      keys: `2026-11:${KEY}`,
      notify: async (notice) => void notices.push(notice),
      verifyPassword: async (user, password) => password === passwordOf(user.name),
    },
  });
  const { clock } = target;
  const answers: Response[] = [];
  const [typed, never, shownOnce] = [[] as string[], [passwordOf("alice"), KEY], new Map<number, string[]>()];
  const jar = new Jar(target);
  const act = async (path: string, body: object = {}, as: Mode = mode): Promise<Response> => {
    const answer = await send(jar, as, path, body);
    answers.push(answer);
    return answer;
  };
  const login = () => act("/login", { username: "alice", password: passwordOf("alice") });

  await login();
  await act("/2fa/totp/enroll", { password: "not-alice's-password" });
  const begun = await act("/2fa/totp/enroll", { password: passwordOf("alice") }, "JSON");
  const phone = authenticatorApp(begun.body.uri);
  shownOnce.set(answers.length - 1, spellings({ phone, backupCodes: [], factorId: "" }));
  const code = (): string => {
    clock.advance(STEP);
    typed.push(phone.code(clock()));
    return typed.at(-1)!;
  };
  await act("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code: "000000" });
  // The page of an enrollment that is open shows what is to be scanned again.
  if (mode !== "JSON") shownOnce.set(answers.length - 1, shownOnce.get(answers.length - 2)!);
  const { body } = await act("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code: code() }, "JSON");
  shownOnce.set(answers.length - 1, body.backupCodes);
  await act("/logout");

  await login();
  await act("/2fa/totp", { code: "000000" });
  await act("/2fa/totp", { code: "not a code" });
  await act("/2fa/totp", { code: code(), trustDevice: "true" });
  const tokens = [deviceCookie(jar)[1]];
  await act("/2fa/totp", { code: typed.at(-1)! });
  await act("/logout");
  await login();
  tokens.push(deviceCookie(jar)[1]);
  await act("/2fa/totp", { code: code() });
  await act("/logout");
  await login();
  await act("/2fa/backup-code", { code: body.backupCodes[0] });
  await act("/2fa/backup-code", { code: body.backupCodes[0] });
  await act("/2fa/backup-codes");
  await act("/2fa/totp", { code: code() });
  const minted = await act("/2fa/backup-codes", {}, "JSON");
  shownOnce.set(answers.length - 1, minted.body.backupCodes);
  for (const path of PAGES) answers.push(await (mode === "JSON" ? jar.get(path) : jar.page(path)));
  for (let guess = 0; guess < 12; guess += 1) await act("/2fa/totp", { code: "000000" });
  clock.advance(HOUR);
  await act("/2fa/totp", { code: code() });
  for (const route of stateRoutes({ factorId: begun.body.factorId })) {
    if (!route.path.endsWith("/enroll") && !route.path.endsWith("/backup-codes")) await act(route.path, route.body);
  }
  never.push(...tokens.map((token) => token.split(".")[1]!));
  await new Promise((resolve) => setImmediate(resolve));
  return { target, answers, notices, shownOnce, never, typed };
}

function secretsOf({ shownOnce, never }: Journey): string[] {
  return [...[...shownOnce.values()].flat(), ...never];
}

/** Codes stand alone where they are told; six digits inside a longer word are chance. */
function told(text: string, codes: readonly string[]): string[] {
  return codes.filter((code) => new RegExp(`(?<![\\w.-])${code}(?![\\w.-])`).test(text));
}

describe("B43 secrets in answers, logs and events", () => {
  test.each(MODES)(
    "B43 a secret is in the one answer that shows it, and on the page of its open enrollment, and tokens are in no body at all (%s)",
    async (mode) => {
      const { answers, shownOnce, never, typed } = await journey(mode);
      expect(answers.length).toBeGreaterThan(40);
      expect(shownOnce.size).toBe(mode === "JSON" ? 3 : 4);
      for (const [index, { text, headers, request }] of answers.entries()) {
        const [where, whole] = [
          `${index} ${request.method} ${request.url}`,
          `${text}${JSON.stringify({ ...headers, "set-cookie": "" })}`,
        ];
        const own = shownOnce.get(index) ?? [];
        const others = [...shownOnce.values()].flat().filter((secret) => !own.includes(secret));
        expect([where, found(whole, [...others, ...never])]).toEqual([where, []]);
        expect([where, told(whole, typed)]).toEqual([where, []]);
      }
    },
  );

  test.each(["test", "development", "staging", ""])(
    "B43 nothing is printed, whatever NODE_ENV is (%s)",
    async (name) => {
      process.env["NODE_ENV"] = name;
      const ended = await journey("JSON");
      process.stdout.write("the capture works\n");
      process.emitWarning("the capture of warnings works");
      await new Promise((resolve) => setImmediate(resolve));
      const all = overheard.printed.join("");
      expect(all).toContain("the capture works");
      expect(all).toContain("the capture of warnings works");
      expect(found(all, [...secretsOf(ended), "otpauth:"])).toEqual([]);
      expect(told(all, ended.typed)).toEqual([]);
    },
  );

  test.each(MODES)("B43 no audit event, published message or notice holds one (%s)", async (mode) => {
    const ended = await journey(mode);
    const { target, notices } = ended;
    expect(target.events.length).toBeGreaterThan(25);
    expect(overheard.published.length).toBe(target.events.length);
    expect(notices.length).toBeGreaterThan(3);
    // Where a notice goes it has to say.
    const said = notices.map((notice) => ({ ...notice, to: undefined }));
    const all = JSON.stringify([target.events, overheard.published, said]);
    expect(found(all, [...secretsOf(ended), "otpauth:", "acme.test"])).toEqual([]);
    expect(told(all, ended.typed)).toEqual([]);
  });

  test("B43 what the application's code says when it fails is repeated to nobody", async () => {
    const target = testApp({
      options: {
        verifyPassword: async (_user, password) => {
          throw new Error(`LDAP refused "${password}"`);
        },
      },
    });
    const jar = new Jar(target);
    await jar.login("carol");
    const secret = "correct-horse-battery-staple";
    const answer = await jar.post("/2fa/totp/enroll", { password: secret });
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    expect(answer.text).not.toContain(secret);
    expect(JSON.stringify([target.events, overheard.published])).not.toContain(secret);
    expect(overheard.printed.join("")).not.toContain(secret);
  });

  test("B43 an error thrown to the application holds no secret either", async () => {
    const target = testApp();
    const secret = "JBSWY3DPEHPK3PXPJBSWY3DP";
    for (const source of [
      secret.slice(0, 8),
      `${secret}!`,
      `otpauth://totp/x?secret=${secret}&digits=8`,
      `otpauth://hotp/x?secret=${secret}`,
    ]) {
      const thrown = await target.mfa.accounts.importTotp("u1", { secret: source }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(Error);
      const { message, stack, cause } = thrown as Error;
      expect([source, found(`${message}${stack}${String(cause)}`, [secret.slice(0, 8)])]).toEqual([source, []]);
    }
  });
});
