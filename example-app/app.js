// An ordinary Express application: sessions, Passport, a login form, a guard. One statement makes it ask for a second factor.
import { fileURLToPath } from "node:url";
import express from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { backupCodes, emailCode, passkeys, push, secondFactor, smsCode, totp } from "express-second-factor";
import { emailNotices, mailSender } from "express-second-factor/mail";
import { webPush } from "express-second-factor/web-push";
import { MOVES } from "./clock.js";
import { helpDesk } from "./desk.js";
import { DeskRequests } from "./desk-requests.js";
import { Outbox } from "./outbox.js";
import { outboxPage } from "./outbox-page.js";
import { isAddress, Users } from "./users.js";
import { accountPage, homePage, invoicesPage, loginPage, messagePage, registerPage, transferPage } from "./views.js";

const PUBLIC = fileURLToPath(new URL("public", import.meta.url));
// What browsers need for passkeys. Yours may come from a bundler: import ... from "express-second-factor/browser".
const BROWSER_PART = fileURLToPath(new URL("../dist/esm/browser", import.meta.url));
const PASSWORD_LENGTH = { min: 8, max: 128 };

const FROM = "Acme Demo <no-reply@acme.example>";
const SEE_OUTBOX = "This is a demonstration: open /outbox in another tab.";

/** What the pages say where something was sent, with where it went in truth. */
const OUTBOX_WORDS = {
  methods: {
    "email-code": {
      challenge: { sent: (target) => `We sent a code to ${target}. ${SEE_OUTBOX}` },
      enroll: { codeLead: `We sent a code to the address you gave. ${SEE_OUTBOX}` },
    },
    "sms-code": {
      challenge: { sent: (target) => `We texted a code to ${target}. ${SEE_OUTBOX}` },
      enroll: { codeLead: `We texted a code to the number you gave. ${SEE_OUTBOX}` },
    },
  },
};

/** Codes by mail and text. For real ones: a transport of nodemailer's, and `twilioSender` or `snsSender`. */
function sentCodes(outbox) {
  return [
    smsCode({ send: outbox.sendText, countries: ["AT", "CH", "DE", "FR", "GB", "US"] }),
    emailCode({ send: mailSender({ transport: outbox.transport, from: FROM }) }),
  ];
}

/**
 * Approval on a second browser, which is woken by the push service that it has. Where that is not reached, from there or from here, the
 * browser is added without notifications, and shows at /2fa/push/approve what it is asked.
 */
function approval(vapid, agent) {
  return push({ channels: [webPush({ vapid: { subject: "mailto:security@acme.example", ...vapid }, agent })] });
}

/**
 * Somebody used the link "this wasn't me" of a mail: whoever it was may know the password. Yours marks the user, and asks for a new one
 * at the next login. There is no page for that here, so it is only said.
 */
function demandNewPassword(userId, { kind }) {
  console.warn(`User ${userId} reports "${kind}": a new password is due.`);
}

/** The guard this application has always had. It knows nothing of second factors, and needs no change for them. */
function ensureLoggedIn(req, res, next) {
  if (req.isAuthenticated()) return next();
  if (req.method === "GET") req.session.returnTo = req.originalUrl;
  res.redirect("/login");
}

/** With the session cookie's SameSite=Lax: forms of other sites are refused. Some browsers send one of the two headers alone. */
function refuseOtherSites(origin) {
  return (req, res, next) => {
    const site = req.get("sec-fetch-site") ?? "none";
    const isOwn = (site === "same-origin" || site === "none") && (req.get("origin") ?? origin) === origin;
    if (req.method !== "POST" || isOwn) return next();
    res
      .status(403)
      .send(messagePage(req, "Not done", "That was asked for by another site. Open the form here instead."));
  };
}

function usePassport(users) {
  const authenticator = new passport.Passport();
  authenticator.use(
    new LocalStrategy({ usernameField: "email" }, (email, password, done) => {
      users.verify(email, password).then((user) => done(null, user ?? false), done);
    }),
  );
  authenticator.serializeUser((user, done) => done(null, user.id));
  authenticator.deserializeUser((id, done) => {
    users.find(id).then((user) => done(null, user ?? false), done);
  });
  return authenticator;
}

/** What is wrong with a registration, in words; undefined where nothing is. */
function registrationProblem(email, password) {
  if (!isAddress(email)) return "Enter an e-mail address, such as ada@example.com.";
  const { min, max } = PASSWORD_LENGTH;
  const isPassword = typeof password === "string" && password.length >= min && password.length <= max;
  return isPassword ? undefined : `Choose a password of ${min} to ${max} characters.`;
}

function register(users) {
  return async (req, res, next) => {
    const { email, password } = req.body ?? {};
    const problem = registrationProblem(email, password);
    if (problem !== undefined) {
      res.status(400).send(registerPage(req, { email, problem }));
      return;
    }
    const user = await users.register(email, password);
    if (user !== undefined) req.logIn(user, (error) => (error ? next(error) : res.redirect("/account")));
    else res.status(409).send(registerPage(req, { email, problem: "There is an account with this address. Log in." }));
  };
}

function logOut(req, res, next) {
  req.logout((error) => (error ? next(error) : res.redirect("/")));
}

/** What is wrong with a transfer, in words; undefined where nothing is. */
function transferProblem({ amount, recipient }) {
  if (typeof amount !== "string" || !/^[1-9]\d{0,5}$/.test(amount)) return "Enter a whole amount, such as 100.";
  const isName = typeof recipient === "string" && recipient.trim() !== "" && recipient.length <= 60;
  return isName ? undefined : "Enter who is to get it.";
}

/** Keeps what was filled in, so that it is still there when the browser comes back from the confirmation. */
function prepareTransfer(req, res, next) {
  const { amount, recipient } = req.body ?? {};
  const problem = transferProblem({ amount, recipient });
  if (problem !== undefined) {
    res.status(400).send(transferPage(req, { problem }));
    return;
  }
  req.session.transfer = { amount, recipient };
  next();
}

/** The text the user confirms, and what the confirmation is good for: this, once. */
function describeTransfer(req) {
  const { amount, recipient } = req.body;
  return `Pay ${amount} EUR to ${recipient}`;
}

function transfer(req, res) {
  const { amount, recipient } = req.body;
  delete req.session.transfer;
  res.send(
    messagePage(req, "Sent", `${amount} EUR are on their way to ${recipient}. Not really: nothing is paid here.`),
  );
}

/** Of the demonstration: time goes by, and what has fallen due meanwhile is done. */
function moveClock(clock, mfa) {
  return async (req, res) => {
    const milliseconds = Object.hasOwn(MOVES, req.body?.move) ? MOVES[req.body.move] : undefined;
    if (milliseconds !== undefined) {
      await clock.advance(milliseconds);
      await mfa.runDue();
    }
    res.redirect(303, "/outbox");
  };
}

/**
 * @param {object} options
 * @param {string} options.origin
 * @param {import("./storage.js").Storage} options.storage
 * @param {string} options.keys the second factor's key ring
 * @param {string} options.sessionSecret
 * @param {{ publicKey: string, privateKey: string }} options.vapid by which push services and browsers know this application
 * @param {string | false} [options.trustProxy] the addresses of the proxies before the application
 * @param {ReadonlyMap<string, string>} [options.operators] of the help desk: how the audit trail names them, by the ids of their users
 * @param {(() => number) & { advance?: (milliseconds: number) => unknown, read?: () => Promise<void> }} [options.clock] where it can be
 *   moved, the outbox page does that
 * @param {Outbox} [options.outbox] where mails and texts stay
 * @param {DeskRequests} [options.requests] what waits for a second operator
 * @param {Awaited<ReturnType<typeof import("./audit-trail.js").openAuditTrail>>} [options.trail]
 * @param {import("node:https").Agent | undefined} [options.pushAgent] makes the connections to push services
 */
export function createApp({
  origin,
  storage,
  keys,
  sessionSecret,
  vapid,
  trustProxy = false,
  operators = new Map(),
  clock,
  outbox = new Outbox({ clock }),
  requests = new DeskRequests({ clock }),
  trail,
  pushAgent,
}) {
  const users = new Users(storage.users, operators);
  const authenticator = usePassport(users);
  const app = express();
  app.set("trust proxy", trustProxy);
  app.locals.storageName = storage.name;
  app.locals.hasOperators = operators.size > 0;

  app.use(express.static(PUBLIC));
  app.use("/passkeys", express.static(BROWSER_PART, { index: false }));
  app.get("/favicon.ico", (_req, res) => res.sendFile("icon.svg", { root: PUBLIC }));
  app.use(express.urlencoded({ extended: false, limit: "16kb" }));
  app.use(refuseOtherSites(origin));
  // Of the demonstration: as far as another process has moved it.
  if (clock?.read) app.use((_req, _res, next) => void clock.read().then(() => next(), next));
  app.use(
    session({
      store: storage.sessions,
      secret: sessionSecret,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: "lax" },
    }),
  );
  app.use(authenticator.session());

  // The one added line. Nothing above it was changed for it, and of what is below only what says so needs it.
  const mfa = secondFactor({
    issuer: "Acme Demo",
    origin,
    keys,
    store: storage.store,
    methods: [totp(), passkeys(), approval(vapid, pushAgent), ...sentCodes(outbox), backupCodes()],
    user: { load: (id) => users.find(id), email: ({ email }) => email },
    pages: { messages: OUTBOX_WORDS },
    notify: emailNotices({ transport: outbox.transport, from: FROM }),
    onCompromise: demandNewPassword,
    // Who can let others in has a second factor, whatever the others have; and to reset an account or to give a pass out takes two of them.
    policy: { require: ({ operator }) => operator !== undefined },
    helpDesk: { approvals: 2 },
    // The outbox stands for a phone and a mailbox, which are read before somebody is in.
    exempt: ["/login", "/logout", "/login/passkey", "/outbox", "/outbox/clock"],
    clock,
  });
  app.use(mfa);
  if (trail) mfa.events.on("audit", trail.listener);

  app.get("/", (req, res) => res.send(homePage(req)));
  app.get("/outbox", (req, res, next) => {
    outbox.messages().then((messages) => res.send(outboxPage(req, messages, clock?.advance && clock())), next);
  });
  if (clock?.advance) app.post("/outbox/clock", moveClock(clock, mfa));
  app.get("/register", (req, res) => res.send(registerPage(req)));
  app.post("/register", register(users));
  app.get("/login", (req, res) => res.send(loginPage(req, { failed: req.query.failed })));
  app.post(
    "/login",
    authenticator.authenticate("local", {
      successReturnToOrRedirect: "/account",
      failureRedirect: "/login?failed",
      keepSessionInfo: true,
    }),
  );
  // A passkey instead of the password: two factors in one where it checks its owner, else the second is asked for.
  authenticator.use(mfa.strategy("passkey"));
  app.post(
    "/login/passkey",
    authenticator.authenticate("passkey", { successRedirect: "/account", failureRedirect: "/login?failed=passkey" }),
  );
  app.post("/logout", logOut);

  app.get("/account", ensureLoggedIn, (req, res) => res.send(accountPage(req)));
  app.get("/invoices", ensureLoggedIn, (req, res) => res.send(invoicesPage(req)));

  app.get("/transfer", ensureLoggedIn, (req, res) => res.send(transferPage(req)));
  app.post(
    "/transfer",
    ensureLoggedIn,
    prepareTransfer,
    // Confirmed with a second factor, for this amount and this recipient, once.
    mfa.require({ maxAge: "5m", bind: describeTransfer }),
    transfer,
  );

  app.use("/desk", ensureLoggedIn, helpDesk({ mfa, users, requests, trail, clock }));

  app.use((req, res) => res.status(404).send(messagePage(req, "Not here", "There is no such page.")));
  app.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    if (error.status >= 400 && error.status < 500) {
      res.status(error.status).send(messagePage(req, "That could not be read", "Open the start page, and try again."));
      return;
    }
    console.error(error);
    res.status(500).send(messagePage(req, "That did not work", "Something is broken on our side. Try again later."));
  });
  return { app, mfa };
}
