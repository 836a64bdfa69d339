// The guards are those of docs/logins.md. Decorators are called by hand here: Node does not know them.
import "reflect-metadata";
import assert from "node:assert/strict";
import { Controller, Get, HttpCode, Module, Post, Req, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { secondFactor } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { journey } from "./journey.mjs";
import { AuthenticatedGuard } from "./out/authenticated.guard.js";
import { LoginGuard } from "./out/login.guard.js";

const clock = { now: Date.now() };
const ann = { id: "1", username: "ann", password: "correct horse" };

passport.use(
  new LocalStrategy((username, password, done) => {
    done(null, username === ann.username && password === ann.password ? ann : false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, id === ann.id ? ann : false));

let [begun, ended] = [0, 0];
const told = [];
const statuses = [];

/** Whoever waits for the guard holds what it waits with: a transaction, a connection, a place in a queue. */
class CountedGuard extends LoginGuard {
  async canActivate(context) {
    begun += 1;
    try {
      return await super.canActivate(context);
    } finally {
      ended += 1;
    }
  }
}

class Accounts {
  login(req) {
    statuses.push([req.secondFactor.status, req.user?.id]);
    return { status: req.secondFactor.status };
  }

  account(req) {
    return { id: req.user.id };
  }
}

function decorate(name, ...decorators) {
  Req()(Accounts.prototype, name, 0);
  for (const each of decorators)
    each(Accounts.prototype, name, Object.getOwnPropertyDescriptor(Accounts.prototype, name));
}

decorate("login", UseGuards(CountedGuard), HttpCode(200), Post("login"));
decorate("account", UseGuards(AuthenticatedGuard), Get("account"));
Controller()(Accounts);

class Application {}
Module({ controllers: [Accounts] })(Application);

const mfa = secondFactor({
  issuer: "Acme",
  origin: "http://localhost:3000",
  clock: () => clock.now,
  onLogin: async (_req, user, { factor }) => void told.push([user.id, factor?.type]),
});

const app = await NestFactory.create(Application, { logger: ["error"] });
app.use(session({ secret: "for this test only", resave: false, saveUninitialized: false }));
app.use(passport.session());
app.use(mfa);
await app.init();

await journey(app.getHttpAdapter().getInstance(), { clock, authenticatorApp });

assert.deepEqual(statuses, [
  ["not-enrolled", "1"],
  ["pending", undefined],
]);
assert.deepEqual([begun, ended], [2, 2], "no guard is left unfinished");
assert.deepEqual(told, [
  ["1", undefined],
  ["1", "totp"],
]);
await app.close();
console.log("guards finished");
