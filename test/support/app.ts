import { randomBytes } from "node:crypto";
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import {
  type AuditEvent,
  type ErrorEvent,
  memoryStore,
  secondFactor,
  type SecondFactor,
  type SecondFactorOptions,
  type Store,
} from "express-second-factor";
import { movableClock, type MovableClock } from "express-second-factor/testing";

/** The users every test application knows. The password of each is their name followed by `-password`. */
export interface TestUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export const USERS: readonly TestUser[] = ["alice", "mallory", "carol", "dave"].map((name, index) => ({
  id: `u${index + 1}`,
  name,
  email: `${name}@acme.test`,
}));

export const CANARY = "canary-behind-the-second-factor";
/** One ring for every application of a test file, as the servers of one application share theirs. */
export const TEST_KEYS = `test:${randomBytes(32).toString("base64")}`;
export const ORIGIN = "http://localhost:3000";

async function loadUser(id: string): Promise<TestUser | undefined> {
  return USERS.find((user) => user.id === id);
}

export function passwordOf(name: string): string {
  return `${name}-password`;
}

export function userNamed(name: string): TestUser {
  const user = USERS.find((each) => each.name === name);
  if (user === undefined) throw new Error(`No test user is called ${name}`);
  return user;
}

export interface TestAppOptions {
  readonly options?: Partial<SecondFactorOptions<TestUser>>;
  readonly clock?: MovableClock;
  readonly store?: Store;
  readonly sessionStore?: session.Store;
  readonly cookie?: session.CookieOptions;
  /** Who can log in. Default: `USERS`. */
  readonly users?: readonly TestUser[];
  /** What reads bodies before the middleware. Default: JSON and forms, as in most applications. */
  readonly parsers?: readonly RequestHandler[];
  /** Runs before `app.use(mfa)`, after `passport.session()`. */
  readonly before?: (app: Express, authenticator: passport.Authenticator) => void;
  /** Further routes, after `app.use(mfa)`. */
  readonly routes?: (app: Express, mfa: SecondFactor, authenticator: passport.Authenticator) => void;
}

/** What it takes to visit an application, and to know what its users' phones show. */
export interface Visitable {
  readonly app: Express;
  readonly clock: MovableClock;
}

export interface TestApp extends Visitable {
  readonly mfa: SecondFactor;
  readonly store: Store;
  readonly sessionStore: session.Store;
  readonly events: AuditEvent[];
  /** What failed, as the application is told of it. */
  readonly errors: ErrorEvent[];
}

/** Passport as an application sets it up: passwords, and users in the session by their id. */
export function usePassport(users: readonly TestUser[] = USERS): passport.Authenticator {
  // Passport ships its class under the module's own name.
  const authenticator = new passport.Passport();
  authenticator.serializeUser((user, done) => {
    done(null, (user as TestUser).id);
  });
  authenticator.deserializeUser((id, done) => {
    done(null, users.find((user) => user.id === id) ?? false);
  });
  authenticator.use(
    new LocalStrategy((username, password, done) => {
      const user = users.find(({ name }) => name === username);
      done(null, user !== undefined && password === passwordOf(username) ? user : false);
    }),
  );
  return authenticator;
}

export function guarded(req: Request, res: Response): void {
  // The guard an application has had for years: it knows nothing of second factors.
  if (req.isAuthenticated()) res.json({ canary: CANARY, user: req.user });
  else res.status(401).json({ code: "app-says-log-in" });
}

function baseRoutes(app: Express, authenticator: passport.Authenticator): void {
  app.get("/", (req, res) => {
    res.json({ user: req.user ?? null, canary: req.user ? CANARY : null, status: req.secondFactor.status });
  });
  app.get("/account", guarded);
  app.get("/api/data", guarded);
  app.post("/login", authenticator.authenticate("local", { successRedirect: "/account" }));
  app.post("/logout", (req, res, next) => {
    req.logout((error) => {
      if (error) next(error);
      else res.status(204).end();
    });
  });
}

/** A real Express application with real Passport and real sessions, and the one line in it. */
export function testApp({ options = {}, before, routes, cookie = {}, ...parts }: TestAppOptions = {}): TestApp {
  const clock = parts.clock ?? movableClock();
  const store = parts.store ?? memoryStore();
  const sessionStore = parts.sessionStore ?? new session.MemoryStore();
  const mfa = secondFactor<TestUser>({
    issuer: "Acme",
    origin: ORIGIN,
    keys: TEST_KEYS,
    user: { load: loadUser },
    store,
    clock,
    ...options,
  });
  const events: AuditEvent[] = [];
  mfa.events.on("audit", (event) => events.push(event));
  const errors: ErrorEvent[] = [];
  mfa.events.on("error", (event) => errors.push(event));

  const app = express();
  const authenticator = usePassport(parts.users);
  const { parsers = [express.json(), express.urlencoded({ extended: false })] } = parts;
  app.use(...parsers);
  app.use(session({ secret: "test", resave: false, saveUninitialized: false, store: sessionStore, cookie }));
  app.use(authenticator.session());
  before?.(app, authenticator);
  app.use(mfa);
  baseRoutes(app, authenticator);
  routes?.(app, mfa, authenticator);
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) next(error);
    else res.status(500).json({ code: "app-error", message: error instanceof Error ? error.message : String(error) });
  });
  return { app, mfa, clock, store, sessionStore, events, errors };
}

/** For an application that reads bodies at its login and leaves all others unread. */
export const parseAtLoginOnly: readonly RequestHandler[] = [
  express.Router().use("/login", express.json(), express.urlencoded({ extended: false })),
];

/** Takes codes on a route of the application's own, `/otp`, by the strategy. */
export const strategyRoute = {
  options: { exempt: ["/login", "/logout", "/otp"] },
  routes(app, mfa, authenticator) {
    authenticator.use(mfa.strategy("totp"));
    app.post("/otp", authenticator.authenticate("totp"), guarded);
  },
} satisfies TestAppOptions;
