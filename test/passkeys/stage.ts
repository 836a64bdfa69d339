import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { expect } from "@jest/globals";
import { backupCodes, passkeys, type PasskeysOptions, totp } from "express-second-factor";
import {
  type SoftwareAuthenticator,
  softwareAuthenticator,
  type SoftwareAuthenticatorOptions,
  type Tampering,
} from "express-second-factor/testing";
import type { Response } from "supertest";
import { testApp, type TestApp, type TestAppOptions, USERS } from "../support/app.js";
import { Jar } from "../support/browser.js";

/** Somebody with a passkey, in a login that gave it. */
export interface Holder {
  readonly jar: Jar;
  readonly device: SoftwareAuthenticator;
  readonly factorId: string;
  readonly backupCodes: readonly string[];
}

/** An application whose passkeys are set up that way. */
export function passkeyApp(options: PasskeysOptions = {}, rest: TestAppOptions = {}): TestApp {
  const methods = [totp(), backupCodes(), passkeys(options)];
  return testApp({ ...rest, options: { methods, ...rest.options } });
}

export async function creationOptions(jar: Jar, body: object = {}): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const answer = await jar.post("/2fa/passkey/enroll/options", body);
  if (answer.status !== 200) throw new Error(`options answered ${answer.status}: ${answer.text}`);
  return answer.body;
}

export async function requestOptions(jar: Jar): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const answer = await jar.post("/2fa/passkey/options");
  if (answer.status !== 200) throw new Error(`options answered ${answer.status}: ${answer.text}`);
  return answer.body;
}

export async function enrollWith(jar: Jar, device: SoftwareAuthenticator, lie: Tampering = {}): Promise<Response> {
  const credential = device.create(await creationOptions(jar), lie);
  return jar.post("/2fa/passkey/enroll", { credential });
}

export async function answerWith(jar: Jar, device: SoftwareAuthenticator, lie: Tampering = {}): Promise<Response> {
  const credential = device.get(await requestOptions(jar), lie);
  return jar.post("/2fa/passkey", { credential });
}

export async function passwordGiven(target: TestApp, name: string): Promise<Jar> {
  const jar = new Jar(target);
  await jar.login(name);
  return jar;
}

/** A user who set up a passkey just now. */
export async function holder(
  target: TestApp,
  name: string,
  options: SoftwareAuthenticatorOptions = {},
): Promise<Holder> {
  const device = softwareAuthenticator(options);
  const jar = await passwordGiven(target, name);
  const answer = await enrollWith(jar, device);
  if (answer.status !== 201) throw new Error(`enrollment answered ${answer.status}: ${answer.text}`);
  const { backupCodes: codes = [], factor } = answer.body as { backupCodes?: string[]; factor: { id: string } };
  return { jar, device, factorId: factor.id, backupCodes: codes };
}

/** Refused, in the one way everything about a passkey is refused. */
export function expectRefused(answer: Response): void {
  expect([answer.status, answer.body.code]).toEqual([401, "invalid-passkey"]);
}

export async function storedPasskeys(
  { mfa }: TestApp,
  name: string,
): Promise<readonly { readonly id: string; readonly label: string }[]> {
  const { id } = USERS.find((user) => user.name === name)!;
  return (await mfa.accounts.factors(id)).filter(({ type }) => type === "passkey");
}

/** An application where a passkey is also a whole login. */
export function passwordlessApp(rest: TestAppOptions = {}): TestApp {
  return testApp({
    ...rest,
    options: {
      user: { load: async (id) => USERS.find((user) => user.id === id) },
      exempt: ["/login", "/logout", "/login/passkey"],
      ...rest.options,
    },
    routes(app, mfa, authenticator) {
      authenticator.use(mfa.strategy("passkey"));
      app.post("/login/passkey", authenticator.authenticate("passkey"), (req, res) => {
        res.json({ user: req.user, ...req.secondFactor });
      });
      rest.routes?.(app, mfa, authenticator);
    },
  });
}

/** Any passkey of the device, for options without a list. */
export async function discoverable(
  jar: Jar,
  device: SoftwareAuthenticator,
  lie: Tampering = {},
): Promise<AuthenticationResponseJSON> {
  return device.get(await requestOptions(jar), lie);
}

export async function passwordless(jar: Jar, device: SoftwareAuthenticator, lie: Tampering = {}): Promise<Response> {
  return jar.post("/login/passkey", { credential: await discoverable(jar, device, lie) });
}
