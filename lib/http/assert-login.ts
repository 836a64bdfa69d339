import type { Request } from "express";
import { ConfigurationError } from "../core/errors.js";
import { actorOf, isSameActor } from "../core/help-desk.js";
import type { Status } from "../core/nouns.js";
import { ACTOR, argumentProblems, REASON, type Rules, unansweredProblems } from "../engine/account-arguments.js";
import { stateOf } from "./request-state.js";
import { settled } from "./session.js";
import type { AppUser, Settings } from "./settings.js";

export interface AssertLoginOptions {
  /** Who of the staff acts: required, and never the user. In every event of the login, and in `req.secondFactor.actor`. */
  readonly actor: string;
  /** Why, for the audit trail: required. */
  readonly reason: string;
}

const RULES: Rules = {
  about: {
    name: "the user",
    kind: { words: "a user", accepts: (given) => typeof given === "object" && given !== null },
  },
  options: { actor: ACTOR, reason: REASON },
};

/** @throws ConfigurationError without somebody who answers for it, TypeError for whatever else is wrong; either names all of it */
function requireArguments(settings: Settings, user: unknown, options: unknown): void {
  const { actor, reason } = (options ?? {}) as Partial<AssertLoginOptions>;
  const wrong = argumentProblems(RULES, [user, options]);
  const isOwn = wrong.length === 0 && actor !== undefined && isSameActor(actor, settings.userId(user as AppUser));
  const unanswered = [
    ...unansweredProblems(["actor", "reason"], { actor, reason }),
    ...(isOwn ? ["actor: is the user themselves: name who acts for them"] : []),
  ];
  if (unanswered.length > 0) throw new ConfigurationError(unanswered.map((each) => `mfa.assertLogin: ${each}`));
  if (wrong.length > 0) throw new TypeError(`mfa.assertLogin: ${wrong.join("; ")}`);
}

/** `mfa.assertLogin` of one middleware. */
export function createAssertLogin(
  settings: Settings,
): (req: Request, user: AppUser, options: AssertLoginOptions) => Promise<void> {
  return async (req, user, options) => {
    requireArguments(settings, user, options);
    const state = stateOf(req);
    if (state === undefined) throw new ConfigurationError(["mfa.assertLogin needs app.use(mfa) before the route"]);
    const { actor, reason } = options;
    state.actingFor = { actor: actorOf(actor), reason };
    try {
      await settled((done) => {
        req.logIn(user, { secondFactor: "inline" }, done);
      });
    } finally {
      // A later login of this request is the user's own.
      state.actingFor = undefined;
    }
    const { status }: { status: Status } = req.secondFactor;
    if (status !== "verified") throw new ConfigurationError(["mfa.assertLogin: the login did not come about"]);
  };
}
