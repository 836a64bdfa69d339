import type { Request } from "express";
import { ConfigurationError, LoginRefusedError } from "../core/errors.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import { isAnything, within } from "../core/within.js";
import { openCarried, sealCarried } from "../engine/carried.js";
import type { Engine } from "../engine/engine.js";
import { listedLogin, type LoginContext, weighed } from "../engine/login-context.js";
import type { SessionRecord } from "../policy/assess.js";
import type { RequestState } from "./request-state.js";
import { placeIn } from "./session.js";
import { type AppUser, type Settings, userOf } from "./settings.js";
import { clientOf } from "./source.js";
import { tryToHideUser } from "./user-visibility.js";

/** A login that has just become complete, as `onLogin` is told of it. */
export interface CompletedLogin {
  /** What `carry` answered at the first step, by way of JSON; empty where there is nothing. */
  readonly carried: Readonly<Record<string, unknown>>;
  /** The first step. Of a login found in the session (remember-me): when it was first seen. */
  readonly first: { readonly at: Date };
  /** The factor that completed it. Absent where none was due: nothing enrolled, a trusted browser, an exemption. */
  readonly factor?: { readonly type: MethodType; readonly id: FactorId };
  /** Who of the staff acts for the user by it (`mfa.assertLogin`). Absent: nobody. */
  readonly actor?: string;
}

/** The `onLogin` option. What it answers is waited for, and not used. */
export type OnLogin<User> = (req: Request, user: User, login: CompletedLogin) => unknown;

/** The `carry` option: a plain object, at most 1,024 bytes of JSON. */
export type Carry<User> = (req: Request, user: User) => object | undefined | Promise<object | undefined>;

/** What the end of a login knows of its beginning: the JSON text itself, or the record that it waits in. */
export type Beginning = { readonly text: string } | { readonly record: SessionRecord | undefined };

const NOTHING = "{}";
const MOST_BYTES = 1_024;
/** Milliseconds for a function that decides about a login; who hangs must not hold it for ever. */
const LONGEST = 30_000;

function flaw(what: string): ConfigurationError {
  return new ConfigurationError([`carry: ${what}`]);
}

/** @throws ConfigurationError that says what cannot be carried */
function carriedText(given: unknown): string {
  if (given === undefined || given === null) return NOTHING;
  if (typeof given !== "object" || Array.isArray(given))
    throw flaw("must answer a plain object, such as { remember: req.body.remember }");
  let text: string;
  try {
    text = JSON.stringify(given);
  } catch {
    throw flaw("what it answers cannot be written as JSON");
  }
  if (!text.startsWith("{")) throw flaw("must answer a plain object, such as { remember: req.body.remember }");
  const bytes = Buffer.byteLength(text);
  if (bytes <= MOST_BYTES) return text;
  throw flaw(`answered ${bytes} bytes of JSON; at most ${MOST_BYTES} are kept. Carry an id, and look the rest up`);
}

function detailsOf(login: LoginContext & { readonly session: SessionRecord }, text: string): CompletedLogin {
  const listed = listedLogin(login);
  const proof = listed?.proofs.at(-1);
  return {
    carried: JSON.parse(text) as CompletedLogin["carried"],
    first: { at: new Date(login.session.at) },
    ...(listed?.acting && { actor: listed.acting.actor }),
    ...(proof && { factor: { type: proof.method, id: proof.factorId } }),
  };
}

/** From the first step of a login to its end: what the application wants to be kept, and what it does then. */
export class Completion {
  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
  ) {}

  /**
   * What the application wants to be kept of a first step, as text. Nothing of it is looked at twice.
   * @throws ConfigurationError for what cannot be kept
   */
  async carry(req: Request, user: AppUser): Promise<string> {
    const { carry, emitError } = this.settings;
    if (carry === undefined) return NOTHING;
    try {
      return carriedText(await within("carry", LONGEST, () => carry(req, user), isAnything));
    } catch (error) {
      emitError("carry", error, { userId: this.settings.userId(user), client: clientOf(req) });
      throw error;
    }
  }

  /** What the record of a login that waits is to keep of it. */
  async kept({ userId }: LoginContext, text: string): Promise<Pick<SessionRecord, "carried">> {
    if (text === NOTHING) return {};
    return { carried: await sealCarried(this.engine.dependencies.keys, userId, text) };
  }

  /** As {@link kept}, of a login that is not complete by its first step. */
  async waiting(begun: LoginContext, text: string): Promise<Pick<SessionRecord, "carried" | "opened">> {
    const isLetThrough = this.settings.isReport && this.settings.onLogin !== undefined;
    return { ...(await this.kept(begun, text)), ...(isLetThrough && { opened: true }) };
  }

  /**
   * Has the application do what it does with a login that is complete but for that, where it is for this request to do so; answers
   * the login as it is then: over, where the application ended it. Where another request does, that is waited for.
   * @throws LoginRefusedError where the application refuses: the login is over, in the account and in the session
   */
  async complete(state: RequestState, login: LoginContext, beginning: Beginning): Promise<LoginContext> {
    const { session } = login;
    if (session === undefined) return login;
    const risen = { ...login, session };
    if (login.opens === true) {
      const isStillThere = placeIn(state.req);
      return this.guarded(state, login, () =>
        this.engine.openings.open(risen, async () => {
          await this.tell(state, risen, beginning);
          return isStillThere();
        }),
      );
    }
    const record = await this.engine.openings.settled(login, login.record);
    return record === login.record ? login : weighed(login, record, this.settings.clock());
  }

  /** As {@link complete}, of a login that is let through although a factor is due: what is not enforced changes nothing else. */
  async letThrough(state: RequestState, login: LoginContext, beginning: Beginning): Promise<void> {
    const { session } = login;
    if (session?.opened !== true) return;
    await this.guarded(state, login, async () => {
      try {
        await this.tell(state, { ...login, session }, beginning);
      } catch (error) {
        await this.engine.firstFactor.end(session, login.source.client);
        throw new LoginRefusedError("login-failed", error);
      }
    });
  }

  private async tell(
    { req }: RequestState,
    login: LoginContext & { readonly session: SessionRecord },
    beginning: Beginning,
  ): Promise<void> {
    const { emitError, onLogin } = this.settings;
    if (onLogin === undefined) return;
    try {
      const details = detailsOf(login, await this.textOf(login, beginning));
      await within("onLogin", LONGEST, () => onLogin(req, userOf(login), details), isAnything);
    } catch (error) {
      emitError("onLogin", error, { userId: login.userId, client: login.source.client });
      throw error;
    }
  }

  private async textOf({ userId }: LoginContext, beginning: Beginning): Promise<string> {
    if ("text" in beginning) return beginning.text;
    const sealed = beginning.record?.carried;
    return sealed === undefined ? NOTHING : openCarried(this.engine.dependencies.keys, userId, sealed);
  }

  /** Whoever's login failed is not logged in by what is left of it. */
  private async guarded<T>(state: RequestState, { source, userId }: LoginContext, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      tryToHideUser(state.req);
      state.login = undefined;
      if (error instanceof LoginRefusedError) {
        // One that is over has its own event, where it ended.
        if (error.code === "login-failed")
          this.engine.dependencies.emitAudit("login-failed", { userId, client: source.client }, { outcome: "failure" });
        // The account does not list it; that its session stays as it is must not hide what went wrong.
        await state.keeper.passportLogin.forget(state, false).catch(() => undefined);
      }
      throw error;
    }
  }
}
