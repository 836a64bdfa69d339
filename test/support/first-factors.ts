import type { Request, RequestHandler } from "express";
import passport from "passport";
import { USERS, userNamed } from "./app.js";

/** A first factor that is not a password: whoever a header names (OAuth, a magic link, a client certificate). */
export class HeaderStrategy extends passport.Strategy {
  override readonly name = "header";

  override authenticate(this: passport.StrategyCreated<this>, req: Request): void {
    const user = USERS.find(({ name }) => name === req.get("x-test-user"));
    if (user === undefined) this.fail(401);
    else this.success(user);
  }
}

const REMEMBERED = /(?:^|; )remember_me=good-for-([a-z]+)(?:;|$)/;

/** What a remember-me package does: logs in whomever a long-lived cookie names, unless somebody already is. */
export class RememberMeStrategy extends passport.Strategy {
  override readonly name = "remember-me";

  override authenticate(this: passport.StrategyCreated<this>, req: Request): void {
    const name = REMEMBERED.exec(req.headers.cookie ?? "")?.[1];
    if (req.isAuthenticated() || name === undefined) this.pass();
    else this.success(userNamed(name));
  }
}

/** Sets the remember-me cookie with the right password, before the login is anywhere near complete. */
export const rememberAtStepOne: RequestHandler = (req, res, next) => {
  const { username, password, remember } = req.body as Record<string, string | undefined>;
  if (remember === "1" && password === `${username ?? ""}-password`) {
    res.cookie("remember_me", `good-for-${username ?? ""}`, { httpOnly: true, maxAge: 30 * 24 * 3_600_000 });
  }
  next();
};
