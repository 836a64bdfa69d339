import type { Approval, AskedApproval } from "../engine/approval.js";
import type { ElevatedLogin } from "../engine/elevation.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import type { FactorMethod, Site } from "../engine/method.js";
import type { MethodPage } from "../pages/method-page.js";
import type { Route } from "./route.js";

/**
 * One kind of second factor with everything of it: how it proves and enrolls (`FactorMethod`), its routes below `path`, and what
 * it shows. A row of the `methods` option is one of these; the verification path has never heard of any.
 */
export interface Method<State = unknown, Presented = unknown> extends FactorMethod<State, Presented> {
  /** Its words, forms and settings row. */
  readonly page: MethodPage;
  /** Its routes. Default: those of what it can: `POST /type`, and `/type/send`, `/type/enroll` and what is below that. */
  readonly routes?: readonly Route[];
  /** What it adds to the answer of `GET /settings`. Never secret. */
  settings?(login: LoginContext, site: Site): Readonly<Record<string, unknown>>;
  /** Whether factors of this kind can be set up and used at the site. Default: at any. */
  isFor?(site: Pick<Site, "origins">): boolean;
  /** What is wrong with its options beside the `origin` option, each with its mend. `origins`: undefined where that is a function. */
  problems?(origins: readonly string[] | undefined): readonly string[];
  /** Documents outside `path` that browsers look for, by whole path; undefined leaves the request to the application. */
  readonly wellKnown?: Readonly<Record<string, (site: Site, settingsUrl: string) => object | undefined>>;
  /** Asks a user without a login, for `mfa.approve`. Default: it cannot. */
  approve?(engine: Engine, asked: AskedApproval): Promise<Approval>;
  /**
   * Scripts at addresses of their own below `path`, as service workers need them: whoever asks has them, logged in or not, and nobody
   * keeps them. Default: none. The pages may run them (`worker-src`).
   */
  readonly scripts?: Readonly<Record<string, string>>;
  /** A page below `path` that a browser is led to after a sign-in, before it goes on; undefined: none. */
  afterSignIn?(elevated: ElevatedLogin): string | undefined;
}
