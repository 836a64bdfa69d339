import express, { type RequestHandler } from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { type MessageOverrides, type PasskeysWords, secondFactor, type Store } from "express-second-factor";
import { type NodeRedisClient, redisStore } from "express-second-factor/redis";
import { authenticatorApp } from "express-second-factor/testing";
import { journey } from "./journey.mjs";

declare global {
  namespace Express {
    interface User {
      id: string;
      username: string;
    }
  }
}

const clock = { now: Date.now() };
const ann: Express.User = { id: "1", username: "ann" };

passport.use(
  new LocalStrategy((username, password, done) => {
    done(null, username === ann.username && password === "correct horse" ? ann : false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id: string, done) => done(null, id === ann.id ? ann : false));

const mfa = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", clock: () => clock.now });
const gate: RequestHandler = mfa;

/** Users of another type than Passport's: every reader is given one. */
interface Member {
  readonly uuid: string;
  readonly isStaff: boolean;
  isPassword(given: string): Promise<boolean>;
}

export const forMembers: RequestHandler = secondFactor<Member>({
  issuer: (_req, member) => (member.isStaff ? "Acme staff" : "Acme"),
  origin: "http://localhost:3000",
  user: { id: (member) => member.uuid, name: ({ uuid }) => uuid },
  policy: { require: ({ isStaff }) => isStaff, evaluate: (member) => (member.isStaff ? "required" : "optional") },
  verifyPassword: (member, password) => member.isPassword(password),
});
const fresh: RequestHandler = mfa.require({ maxAge: "5m" });

const offer: PasskeysWords["offer"] = {
  title: "Kein Code mehr",
  lead: "Mit einem Passkey.",
  add: "Passkey anlegen",
  later: "Jetzt nicht",
  never: "Nicht mehr fragen",
};
export const german: MessageOverrides = { methods: { passkey: { offer } } };
export const shared = (client: NodeRedisClient): Store => redisStore(client);

const app = express();
app.use(express.json());
app.use(session({ secret: "for this test only", resave: false, saveUninitialized: false }));
app.use(passport.session());
app.use(gate);
app.post("/login", passport.authenticate("local", { secondFactor: "inline" }) as RequestHandler, (_req, res) => {
  res.json({ ok: true });
});
app.get("/account", (req, res) => {
  const status: string | undefined = req.secondFactor?.status;
  if (req.isAuthenticated()) res.json({ id: req.user.id, status });
  else res.sendStatus(401);
});
app.post("/transfer", fresh, (_req, res) => {
  res.sendStatus(204);
});

await journey(app, { clock, authenticatorApp });
