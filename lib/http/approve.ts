import { ConfigurationError } from "../core/errors.js";
import { actorOf, isSameActor } from "../core/help-desk.js";
import type { Json } from "../core/json.js";
import { type FactorId, MINUTE, type UserId } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { userIdOf } from "../core/user-ids.js";
import { ACTOR, argumentProblems, isUnanswered, type Kind, type Rules, TEXT } from "../engine/account-arguments.js";
import type { Approval } from "../engine/approval.js";
import type { Engine } from "../engine/engine.js";
import { MOST_SHOWN, type Operation, operationOf } from "../engine/operation.js";
import { type Duration, milliseconds } from "../policy/durations.js";
import type { Method } from "./method.js";
import type { Settings } from "./settings.js";

export interface ApproveOptions {
  /**
   * What is approved, as text or any JSON value: the owner reads all of it on the device. Required; 500 characters at most, as they are
   * shown.
   */
  readonly operation: Json;
  /**
   * Who asks, such as `"support:7"` or `"job:payouts"`: events name it, and the owner reads it on the device, its first 64 characters.
   * Required; never the user.
   */
  readonly actor: string;
  /**
   * Is given the number, two digits as text, that the owner types on the device: somebody shows it to them by another way, as on the
   * telephone. Required. Waited for, 30 s at most, before the device is asked; where it rejects, or does not answer, it is not.
   */
  readonly onNumber: (number: string) => unknown;
  /** How long the owner has for it, up to 10 minutes. Default: `"2m"`. */
  readonly timeout?: Duration;
  /** Which of their devices is asked. Default: the one used last. */
  readonly factorId?: FactorId;
  /** Cancels it: the device cannot answer any more, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Asks an owner: `mfa.approve`. */
export type Approve = (userId: UserId, options: ApproveOptions) => Promise<Approval>;

const LONGEST = 10 * MINUTE;

function lifeOf(timeout: unknown): number | undefined {
  const life = milliseconds(timeout);
  return life === undefined || life > LONGEST ? undefined : life;
}

function readOperation(value: unknown): Operation | undefined {
  const operation = operationOf("", value);
  return "flaw" in operation ? undefined : operation;
}

const OPERATION: Kind = {
  words: `text or JSON of at most ${MOST_SHOWN} characters that says what is approved`,
  accepts: (given) => readOperation(given) !== undefined,
};
const FUNCTION: Kind = { words: "a function", accepts: (given) => typeof given === "function" };
const LIFE: Kind = {
  words: 'a duration of at most 10 minutes, such as "2m"',
  accepts: (given) => lifeOf(given) !== undefined,
};
const SIGNAL: Kind = { words: "an AbortSignal", accepts: (given) => given instanceof AbortSignal };

const RULES: Rules = {
  options: { operation: OPERATION, actor: ACTOR, onNumber: FUNCTION, timeout: LIFE, factorId: TEXT, signal: SIGNAL },
  required: ["operation", "actor", "onNumber"],
};

/** Nobody is to be able to ask in nobody's name, or to approve what they have asked for themselves. */
function actorProblems(userId: unknown, options: unknown): readonly string[] {
  const { actor } = (options ?? {}) as Partial<ApproveOptions>;
  if (isUnanswered("actor", actor)) return ['actor: say who asks: actor: "support:7"'];
  const id = userIdOf(userId);
  const isOwn = typeof actor === "string" && id !== undefined && isSameActor(actor, id);
  return isOwn ? ["actor: is the user themselves: name who asks them"] : [];
}

/** @throws ConfigurationError without somebody who asks, TypeError for whatever else is wrong; either names all of it */
function requireArguments(userId: unknown, options: unknown): void {
  const unnamed = actorProblems(userId, options);
  const wrong = argumentProblems(RULES, [userId, options]);
  if (unnamed.length > 0) {
    const others = wrong.filter((each) => !each.startsWith("actor: "));
    throw new ConfigurationError([...unnamed, ...others].map((each) => `mfa.approve: ${each}`));
  }
  if (wrong.length > 0) throw new TypeError(`mfa.approve: ${wrong.join("; ")}`);
}

type Asking = Method & Required<Pick<Method, "approve">>;

function canAsk(method: Method): method is Asking {
  return method.approve !== undefined;
}

/** @throws ConfigurationError where no method can ask */
function askingIn(methods: Settings["methods"]): Asking {
  const method = [...methods.values()].find(canAsk);
  if (method !== undefined) return method;
  throw new ConfigurationError(["mfa.approve: no method asks a device; add one: methods: [..., push({ channels })]"]);
}

/** `mfa.approve` of one middleware. What is wrong with its arguments is a rejection, and nobody is asked. */
export function createApprove(engine: Engine, { methods, site }: Pick<Settings, "methods" | "site">): Approve {
  return async (userId, options) => {
    const method = askingIn(methods);
    requireArguments(userId, options);
    const { actor, factorId, onNumber, operation, signal, timeout = "2m" } = options;
    return method.approve(engine, {
      userId: userIdOf(userId) ?? "",
      actor: actorOf(actor),
      shownActor: cleanText(actorOf(actor), MAX_LABEL),
      text: readOperation(operation)?.text ?? "",
      origin: site,
      life: lifeOf(timeout) ?? 0,
      factorId,
      onNumber,
      signal,
    });
  };
}
