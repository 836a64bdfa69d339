const express = require("express");
const session = require("express-session");
const passport = require("passport");
const { Strategy: LocalStrategy } = require("passport-local");
const { secondFactor } = require("express-second-factor");
const { authenticatorApp } = require("express-second-factor/testing");
const browser = require("express-second-factor/browser");
const redis = require("express-second-factor/redis");
const sql = require("express-second-factor/sql");

const clock = { now: Date.now() };
const ann = { id: "1", username: "ann", password: "correct horse" };

passport.use(
  new LocalStrategy((username, password, done) => {
    done(null, username === ann.username && password === ann.password ? ann : false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, id === ann.id ? ann : false));

const mfa = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", clock: () => clock.now });

const app = express();
app.use(express.json());
app.use(session({ secret: "for this test only", resave: false, saveUninitialized: false }));
app.use(passport.session());
app.use(mfa);
app.post("/login", passport.authenticate("local"), (_req, res) => res.json({ ok: true }));
app.get("/account", (req, res) => (req.isAuthenticated() ? res.json({ id: req.user.id }) : res.sendStatus(401)));

import("./journey.mjs").then(({ checkParts, journey }) => {
  checkParts({ redis, sql, browser });
  return journey(app, { clock, authenticatorApp });
});
