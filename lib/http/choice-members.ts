import type { MethodChoice } from "../engine/choices.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { nothingLeft } from "./nothing-left.js";

/**
 * What a login can be asked for, as answers carry it, and what of its account cannot be used at this site, where there is any.
 * `methods`: those that will do; default: all.
 */
export function choiceMembers(
  engine: Engine,
  login: LoginContext,
  methods: readonly MethodChoice[] = engine.authentication.choices(login),
) {
  const unusable = engine.authentication.unusable(login);
  return { methods, ...(unusable.length > 0 && { unusable }), ...nothingLeft(engine, login, methods) };
}
