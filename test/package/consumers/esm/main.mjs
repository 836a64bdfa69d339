import express from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { secondFactor } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import * as browser from "express-second-factor/browser";
import * as redis from "express-second-factor/redis";
import * as sql from "express-second-factor/sql";
import { checkParts, journey } from "./journey.mjs";

checkParts({ redis, sql, browser });

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

await journey(app, { clock, authenticatorApp });
