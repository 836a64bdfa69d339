import type { Request, Response } from "express";
import type { GenericSchema, InferOutput } from "valibot";
import type { Outcome, Problem } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import type { Mark } from "../policy/assess.js";
import type { PageSet } from "./page-set.js";
import type { Settings } from "../options/settings.js";
import type { RequestState, Visit } from "./state.js";

/** What every route is given, whoever asks. */
export interface Stage {
  readonly req: Request;
  readonly res: Response;
  readonly state: RequestState;
  readonly engine: Engine;
  readonly settings: Settings;
  readonly pages: PageSet;
}

/** What a route is given where somebody is logged in, if only by a first factor. */
export interface Scene extends Stage {
  readonly visit: Visit;
  /** What exactly is being confirmed, where a page is shown again and a route had said so. */
  readonly confirming?: string;
}

/** What a route answers when all is well: the same thing twice, for a client of the API and for a browser. */
export interface Reply {
  readonly status: 200 | 201 | 202 | 204;
  /** JSON; absent with 204. */
  readonly body?: object;
  /** For a browser: a page, or where it goes next. */
  readonly page: { readonly html: string } | { readonly redirect: string };
  /** The session's new mark: its id changes before the answer leaves. */
  readonly mark?: Mark;
  /** A new trusted device's token. */
  readonly deviceToken?: string;
}

export interface Route<Schema extends GenericSchema = GenericSchema> {
  readonly verb: "get" | "post";
  readonly path: string;
  readonly body: Schema;
  run(scene: Scene, body: InferOutput<Schema>): Promise<Outcome<Reply>>;
  /** For those who are not logged in. Default: `login-required`. */
  runAnonymous?(stage: Stage): Promise<Outcome<Reply>>;
  /** The page a browser gets with a problem; undefined: the page that says just that. */
  again?(scene: Scene, problem: Problem, body: unknown): string | undefined;
}

/** A row of the table of routes, its body typed by its schema. */
export function route<Schema extends GenericSchema>(row: Route<Schema>): Route {
  return row;
}
