import type { Request } from "express";
import type { CompletedLogin } from "express-second-factor";
import { passwordOf, testApp, type TestApp, type TestAppOptions, type TestUser, userNamed } from "../support/app.js";
import { Jar } from "../support/browser.js";

/** One call of `onLogin`, with what the request showed at that moment. */
export interface Call extends CompletedLogin {
  readonly name: string;
  readonly path: string;
  readonly isIn: boolean;
}

export interface Told {
  readonly target: TestApp;
  readonly calls: Call[];
}

export type Act = (req: Request, user: TestUser, login: CompletedLogin) => unknown;

/** An application that is told of its logins, and does something with them. */
export function toldApp({ options, ...given }: TestAppOptions = {}, act: Act = () => undefined): Told {
  const calls: Call[] = [];
  const target = testApp({
    ...given,
    options: {
      onLogin: async (req, user, login) => {
        calls.push({ ...login, name: user.name, path: req.originalUrl, isIn: req.isAuthenticated() });
        await act(req, user, login);
      },
      ...options,
    },
  });
  return { target, calls };
}

/** A gate that is shut until it is opened, and how often somebody came to it. */
export interface Held {
  readonly reached: Promise<void>;
  wait(): Promise<void>;
  release(): void;
}

export function held(): Held {
  let [reach, release] = [(): void => undefined, (): void => undefined];
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    wait() {
      reach();
      return released;
    },
    release: () => {
      release();
    },
  };
}

export function loginWith(jar: Jar, name: string, more: object, path = "/login") {
  return jar.post(path, { username: name, password: passwordOf(name), ...more });
}

/** Logs in above the middleware, which finds the login in the session at the next request. */
export const above: NonNullable<TestAppOptions["before"]> = (app) => {
  app.post("/above/:name", (req, res, next) => {
    req.logIn(userNamed(req.params.name), (error: unknown) => {
      if (error === undefined || error === null) res.status(204).end();
      else next(error);
    });
  });
};

export async function loggedInAbove(target: TestApp, name: string): Promise<Jar> {
  const jar = new Jar(target);
  const answer = await jar.post(`/above/${name}`);
  if (answer.status !== 204) throw new Error(`logging in above answered ${answer.status}: ${answer.text}`);
  return jar;
}
