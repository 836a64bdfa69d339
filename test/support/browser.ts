import type { Express } from "express";
import supertest from "supertest";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { CANARY, passwordOf, type TestApp, userNamed, type Visitable } from "./app.js";

type Agent = ReturnType<typeof supertest.agent>;

export interface Enrolled {
  readonly phone: AuthenticatorApp;
  readonly backupCodes: readonly string[];
  readonly factorId: string;
}

/** One cookie jar speaking JSON, with the few things people do. */
export class Jar<Target extends Visitable = TestApp> {
  readonly agent: Agent;

  constructor(
    readonly target: Target,
    app: Express = target.app,
  ) {
    this.agent = supertest.agent(app);
  }

  get(path: string): supertest.Test {
    return this.agent.get(path).set("Accept", "application/json");
  }

  /** Asks as a browser showing pages does. */
  page(path: string): supertest.Test {
    return this.agent.get(path).set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
  }

  post(path: string, body: object | string = {}): supertest.Test {
    return this.agent.post(path).set("Accept", "application/json").send(body);
  }

  /** Posts a form as a page of this site does. */
  form(path: string, body: object = {}): supertest.Test {
    return this.agent
      .post(path)
      .set("Accept", "text/html,application/xhtml+xml")
      .set("Sec-Fetch-Site", "same-origin")
      .type("form")
      .send(body);
  }

  /** Gives the right password; answers the login's answer. */
  login(name: string): supertest.Test {
    return this.post("/login", { username: name, password: passwordOf(name) });
  }

  verify(code: string, body: object = {}): supertest.Test {
    return this.post("/2fa/totp", { code, ...body });
  }

  /** Whether what the second factor guards is open to this jar. */
  async isIn(path = "/account"): Promise<boolean> {
    const answer = await this.get(path);
    if (answer.status >= 500) throw new Error(`GET ${path} answered ${answer.status}: ${answer.text}`);
    return answer.text.includes(CANARY);
  }

  /** Sets an authenticator up in a login that may, and moves the clock on so that its code is of another step. */
  async enroll(): Promise<Enrolled> {
    const begun = await this.post("/2fa/totp/enroll");
    if (begun.status !== 201) throw new Error(`enrollment answered ${begun.status}: ${begun.text}`);
    const { factorId, uri } = begun.body as { factorId: string; uri: string };
    const phone = authenticatorApp(uri);
    const { clock } = this.target;
    const done = await this.post("/2fa/totp/enroll/confirm", { factorId, code: phone.code(clock()) });
    if (done.status !== 201) throw new Error(`confirmation answered ${done.status}: ${done.text}`);
    clock.advance(30_000);
    const { backupCodes = [] } = done.body as { backupCodes?: string[] };
    return { phone, backupCodes, factorId };
  }
}

/** Enrolls a user in a login of their own, which is over afterwards. */
export async function enrolled(target: Visitable, name: string): Promise<Enrolled> {
  const jar = new Jar(target);
  await jar.login(name);
  const factor = await jar.enroll();
  await jar.post("/logout");
  return factor;
}

/** A jar whose user gave both factors. The clock moves on by a step. */
export async function full<Target extends Visitable>(
  target: Target,
  name: string,
  phone: AuthenticatorApp,
): Promise<Jar<Target>> {
  const jar = new Jar(target);
  await jar.login(name);
  const answer = await jar.verify(phone.code(target.clock()));
  if (answer.status !== 200) throw new Error(`verify answered ${answer.status}: ${answer.text}`);
  target.clock.advance(30_000);
  return jar;
}

/** A jar whose user gave the password and is asked for the second factor. */
export async function pending<Target extends Visitable>(target: Target, name: string): Promise<Jar<Target>> {
  const jar = new Jar(target);
  await jar.login(name);
  return jar;
}

export { userNamed };
