import express, { type Express, type RequestHandler } from "express";
import session from "express-session";
import type { Kysely } from "kysely";
import type passport from "passport";
import supertest from "supertest";
import {
  backupCodes,
  emailCode,
  memoryStore,
  passkeys,
  push,
  secondFactor,
  type SecondFactor,
  type SecondFactorOptions,
  smsCode,
  type Store,
  totp,
} from "express-second-factor";
import { createTables } from "express-second-factor/sql";
import { authenticatorApp, type MovableClock, movableClock } from "express-second-factor/testing";
import {
  guarded,
  ORIGIN,
  passwordOf,
  TEST_KEYS,
  type TestUser,
  usePassport,
  userNamed,
  USERS,
} from "../support/app.js";
import { openSqlite } from "../support/sqlite.js";

interface User extends TestUser {
  readonly isAdmin: boolean;
}

/** What examples may take for granted: the names an application has. Another name goes here. */
export interface Names {
  readonly app: Express;
  readonly passport: passport.Authenticator;
  readonly session: typeof session;
  readonly secret: string;
  readonly origin: string;
  readonly keys: string;
  readonly store: Store;
  readonly db: Kysely<unknown>;
  readonly connectionString: string;
  readonly redisUrl: string;
  /** What `...` stands for. */
  readonly options: SecondFactorOptions<User>;
  /** Mounted, unless the example does so itself. */
  readonly mfa: SecondFactor;
  /** A user who has an authenticator app, the key URI in it, and the code it shows. */
  readonly userId: string;
  readonly uri: string;
  readonly code: string;
  readonly password: string;
  readonly users: {
    find(id: string): Promise<Express.User | undefined>;
    setPassword(id: string, password: string): Promise<void>;
    remove(id: string): Promise<void>;
  };
  /** What mails leave through, as nodemailer has it. */
  readonly transport: { sendMail(mail: object): Promise<unknown> };
  /** What texts leave through: whatever the application has for that. */
  readonly gateway: { send(text: { readonly to: string; readonly body: string }): Promise<unknown> };
  readonly oldUsers: readonly { readonly id: string; readonly otpauthUri: string }[];
  readonly log: Readonly<Record<"info" | "warn" | "error", (entry: unknown) => void>>;
  readonly changeEmail: RequestHandler;
  readonly admin: RequestHandler;
  readonly transfer: RequestHandler;
  /** In a test of the application: a client whose user has logged in and has no second factor. */
  readonly agent: ReturnType<typeof supertest.agent>;
  /** A test runner's. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  readonly myStore: (options: { readonly clock: MovableClock }) => Store;
}

/** What examples for the browser find on their page. */
export interface PageNames {
  readonly button: HTMLButtonElement;
  /** With a name and a password. */
  readonly form: HTMLFormElement;
  readonly message: HTMLElement;
  readonly credentialId: string;
  readonly userHandle: string;
  /** Of a Web Push channel. */
  readonly applicationServerKey: string;
}

export const GUARDED = "/guarded";
export const ENROLLED = userNamed("alice");
export const NOT_ENROLLED = userNamed("dave");
const OWN_ROUTES = ["/login", "/logout", "/login-with-code", "/verify", "/page"];

const done: RequestHandler = (_req, res) => {
  res.sendStatus(204);
};

function keyUri(name: string): string {
  return `otpauth://totp/Acme:${name}?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme`;
}

async function load(id: string): Promise<User | undefined> {
  const user = USERS.find((each) => each.id === id);
  return user && { ...user, isAdmin: user === ENROLLED };
}

/** Where the servers are that an example may need, and the application itself. */
export interface Places {
  readonly connectionString?: string;
  readonly redisUrl?: string;
  readonly origin?: string;
}

/** An application around one example, and what it takes to see what came of it. */
export class Application {
  readonly app = express();
  readonly clock = movableClock(Date.now());
  readonly logged: unknown[] = [];
  /** What happened to the accounts, by the names of the audit trail. */
  readonly actions: string[] = [];
  /** The tests that the example defined. */
  readonly tests: { readonly name: string; run(): Promise<void> }[] = [];
  readonly names: Names;

  /** What the example does itself is left to it. */
  constructor(
    private readonly code: string,
    places: Places = {},
  ) {
    this.names = this.everyName(places);
    const { mfa, passport, secret } = this.names;
    mfa.events.on("audit", ({ action }) => this.actions.push(action));
    this.app.use(express.json(), express.urlencoded({ extended: false }));
    if (!code.includes("session(")) {
      this.app.use(session({ secret, resave: false, saveUninitialized: false }), passport.session());
    }
    if (this.mountsItself) return;
    this.app.use(mfa);
    this.addRoutes();
  }

  /** Before the example runs: its user, its tables, its client. */
  async begin(): Promise<void> {
    const { agent, db, mfa, uri, userId } = this.names;
    await mfa.accounts.importTotp(userId, { secret: uri, label: "Old phone" });
    await createTables(db);
    if (!this.code.includes("agent.")) return;
    const { name } = NOT_ENROLLED;
    await agent.post("/login").send({ username: name, password: passwordOf(name) });
  }

  /** After it ran: the routes that stand below what it mounted. */
  finish(): void {
    if (this.mountsItself) this.addRoutes();
  }

  async close(): Promise<void> {
    await this.names.db.destroy();
  }

  private get mountsItself(): boolean {
    return this.code.includes("secondFactor(");
  }

  /** The application as it was before: it logs people in, and lets those in who are. */
  private addRoutes(): void {
    const { app, passport } = this.names;
    app.post("/login", passport.authenticate("local"), done);
    app.post("/logout", (req, res, next) => {
      req.logout((error) => {
        if (error) next(error);
        else res.sendStatus(204);
      });
    });
    app.get(GUARDED, guarded);
  }

  private everyName({ connectionString = "", redisUrl = "", origin = ORIGIN }: Places): Names {
    const { app, clock } = this;
    const [store, uri] = [memoryStore(), keyUri(ENROLLED.name)];
    const transport = { sendMail: (mail: object): Promise<unknown> => Promise.resolve(mail) };
    const gateway = { send: (text: object): Promise<unknown> => Promise.resolve(text) };
    const texts = smsCode({ send: ({ text, to }) => gateway.send({ to, body: text }), countries: ["DE", "GB"] });
    const codes = [emailCode({ send: transport.sendMail }), texts];
    const methods = [totp(), backupCodes(), passkeys(), push({ channels: [] }), ...codes];
    const options = { issuer: "Acme", origin, keys: TEST_KEYS, user: { load }, exempt: OWN_ROUTES, clock };
    const write = (entry: unknown): void => void this.logged.push(entry);
    return {
      ...{ app, connectionString, gateway, options, origin, redisUrl, session, store, transport, uri },
      mfa: secondFactor<User>({ ...options, methods, store }),
      passport: usePassport(),
      secret: "of no value",
      keys: TEST_KEYS,
      db: openSqlite(),
      userId: ENROLLED.id,
      code: authenticatorApp(uri).code(clock()),
      password: passwordOf(ENROLLED.name),
      users: { find: load, setPassword: () => Promise.resolve(), remove: () => Promise.resolve() },
      oldUsers: [{ id: NOT_ENROLLED.id, otpauthUri: keyUri(NOT_ENROLLED.name) }],
      log: { info: write, warn: write, error: write },
      changeEmail: done,
      admin: done,
      transfer: done,
      agent: supertest.agent(app),
      test: (name, run) => void this.tests.push({ name, run }),
      myStore: memoryStore,
    };
  }
}
