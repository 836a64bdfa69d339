import { isEnrolled } from "../core/account.js";
import type { ErrorCode, Problem } from "../core/errors.js";
import { choiceMembers } from "./choice-members.js";
import { opensSettings } from "../policy/access.js";
import type { RouteContext } from "./route.js";

type Ways = Readonly<Record<string, unknown>>;

/** Where whoever has nothing to prove shows who they are: by their first factor. `password`: the one in the body of a request will do. */
function byFirstFactor({ settings, state }: RouteContext): Ways {
  const { verifyPassword } = settings;
  const { login: location } = state.places;
  return { methods: [], location, ...(verifyPassword !== undefined && { password: true }) };
}

function byProof({ engine, login, state }: RouteContext): Ways {
  return { ...choiceMembers(engine, login), location: state.base };
}

/** What a change of the settings asks for: not every kind will do. */
function byProofForSettings({ engine, login, state }: RouteContext): Ways {
  const choices = engine.authentication.choices(login).filter(({ type }) => opensSettings(login, type));
  return { ...choiceMembers(engine, login, choices), location: state.base };
}

/** What a client is told that will do, or must. A limit without an end is that of a closed factor. */
const WAYS: Partial<Record<ErrorCode, (context: RouteContext, problem: Problem) => Ways>> = {
  "second-factor-required": byProof,
  "step-up-required": (context) =>
    isEnrolled(context.login.record.account) ? byProofForSettings(context) : byFirstFactor(context),
  "enrollment-required": ({ state }) => ({ location: state.base }),
  "too-many-attempts": ({ engine, login }, { retryAfter }) =>
    retryAfter === undefined ? { methods: engine.authentication.choices(login) } : {},
};

/** How somebody goes on who was refused. */
export function waysOn(context: RouteContext, problem: Problem): Ways {
  return WAYS[problem.code]?.(context, problem) ?? {};
}
