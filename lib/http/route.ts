import type { Request, Response } from "express";
import type { Outcome, Problem } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import type { ShownOperation } from "../engine/operations.js";
import type { Page } from "../pages/views.js";
import type { Done } from "../core/notes.js";
import type { SessionRecord } from "../policy/assess.js";
import type { PageSet } from "./page-set.js";
import type { RequestState } from "./request-state.js";
import type { Settings } from "./settings.js";

/** The members of a body, read and unchecked. */
export type Body = Readonly<Record<string, unknown>>;

/** What every route is given, whoever asks. */
export interface RequestContext {
  readonly req: Request;
  readonly res: Response;
  readonly state: RequestState;
  readonly engine: Engine;
  readonly settings: Settings;
  readonly pages: PageSet;
}

/** What a route is given where somebody is logged in, if only by a first factor. */
export interface RouteContext extends RequestContext {
  readonly login: LoginContext;
  /** The operation that the refused proof was for, where a page is shown again. */
  readonly operation?: ShownOperation;
}

/** What a route answers when all is well: the same thing twice, for a client of the API and for a browser. */
export interface Reply {
  readonly status: 200 | 201 | 202 | 204;
  /** JSON; absent with 204. */
  readonly body?: object;
  /** For a browser: a page, or where it goes next. */
  readonly page: { readonly render: () => Page } | { readonly redirect: string };
  /** In the place of both: JSON that browsers save as a file of this name. */
  readonly file?: { readonly name: string; readonly text: string };
  /** The session's new record: its id changes before the answer leaves. */
  readonly session?: SessionRecord;
  /** The login that the answered proof has made complete: it is opened before anything is answered. */
  readonly risen?: LoginContext;
  /** What was done, to be told on the settings page that the browser is sent to. */
  readonly done?: Omit<Done, "at">;
  /** A new trusted device's token. */
  readonly deviceToken?: string;
}

/** A row of the table of routes below `path`. */
export interface Route<Input = unknown> {
  readonly verb: "get" | "post";
  readonly path: string;
  /** The body checked; undefined where it has another shape (`invalid-request`): then nothing is run. */
  read(body: Body): Input | undefined;
  run(context: RouteContext, input: Input): Promise<Outcome<Reply>>;
  /** For those who are not logged in. Default: `login-required`. `input`: of a row that is for anyone. */
  runAnonymous?(context: RequestContext, input: Input): Promise<Outcome<Reply>>;
  /** Whoever asks, logged in or not, is answered by `runAnonymous`; what lets them is in the address, which pages then keep to themselves. */
  readonly isForAnyone?: true;
  /** As `again`, of a row that is for anyone. */
  againForAnyone?(context: RequestContext, problem: Problem): Page | undefined;
  /** The page a browser gets with a problem; undefined: the page that says just that. */
  again?(context: RouteContext, problem: Problem, body: unknown): Page | undefined | Promise<Page | undefined>;
  /** Staff who act for a user (`mfa.assertLogin`) get here. All other rows refuse them: `acting-login`. */
  readonly isForActing?: true;
  /** It verifies, sends or enrolls: the limit per address stands before it. */
  readonly isLimited?: true;
  /**
   * Whatever it decides rests on a conditional write of the account, so the account as last seen here will do to begin with. What
   * is refused before anything is decided (400, 403, 413, 415, 429 of the address) is told from what was last seen.
   */
  readonly isConfirmedByWrite?: true;
}

/**
 * A row of a method's `routes`, its input typed by what reads it. Only whoever is logged in gets there, if by a first factor alone.
 *
 * Does NOT ask for a second factor: what `login.status` says is for the row to look at.
 *
 * @example
 * ```ts
 * import { route } from "express-second-factor";
 *
 * const palette = route({
 *   verb: "get",
 *   path: "/colour-sequence/palette",
 *   read: () => ({}),
 *   run: async ({ state }) => ({
 *     ok: true,
 *     value: { status: 200, body: { colours: ["red", "green", "blue"] }, page: { redirect: state.base } },
 *   }),
 * });
 * ```
 */
export function route<Input>(row: Route<Input>): Route {
  // Each row is only ever run on what it has read itself.
  return row;
}

/** For routes that take no body. */
export function readNothing(): Record<string, never> {
  return {};
}
