import { setTimeout } from "node:timers/promises";
import { NotAskedError } from "../../core/errors.js";
import { SECOND } from "../../core/nouns.js";
import { isAnything, within } from "../../core/within.js";
import { randomId } from "../../crypto/random.js";
import type { Approval, AskedApproval } from "../../engine/approval.js";
import type { Engine } from "../../engine/engine.js";
import { probationProblem } from "../../policy/access.js";
import type { Push } from "./method.js";
import { type Asked, PushRequests } from "./requests.js";

/** Milliseconds from one look at what came of it to the next: twice as many each time. */
const FIRST_LOOK = SECOND / 4;
const LAST_LOOK = 2 * SECOND;
/** Milliseconds. Whoever shows the number has that long. */
const PATIENCE = 30 * SECOND;

/**
 * Asks an owner without a login, and waits for what they decide. Its question is an account's one as any login's is.
 * @throws NotAskedError where no device could be asked, UnavailableError where something does not answer, the signal's reason, and what
 * `onNumber` throws: then nothing is asked any more, as far as that can still be written
 */
export async function approve(push: Push, { dependencies }: Engine, asked: AskedApproval): Promise<Approval> {
  const { actor, factorId, life, origin, shownActor, signal, text, userId } = asked;
  signal?.throwIfAborted();
  const requests = new PushRequests(push, dependencies);
  const subject = { userId, actor };
  const askedBy = randomId();
  // Where a login's question says on which browser, this one says who asks.
  const asking = { askedBy, text, life, factorId, origin, browser: shownActor };
  const announced = { ...asking, announce: ({ number }: Asked) => tellNumber(asked, number) };
  // What they say is as good as a proof for that operation, which opens none either so soon after a recovery.
  const outcome = await requests.ask(subject, announced, ({ account }, now) => probationProblem(account, now));
  if (!outcome.ok) throw new NotAskedError(outcome.problem);
  const { requestId } = outcome.value;
  try {
    return await decision(() => requests.answer(subject, { askedBy, requestId }), signal);
  } catch (error) {
    await requests.withdraw(subject, requestId).catch(() => undefined);
    signal?.throwIfAborted();
    throw error;
  }
}

/** What was decided. The timer holds the process: somebody waits. */
async function decision(look: () => Promise<Approval | "waiting">, signal: AbortSignal | undefined): Promise<Approval> {
  for (let wait = FIRST_LOOK; ; wait = Math.min(2 * wait, LAST_LOOK)) {
    await setTimeout(wait, undefined, { signal });
    const state = await look();
    if (state !== "waiting") return state;
  }
}

/** @throws what `onNumber` throws, as it is; UnavailableError where it does not answer in time */
async function tellNumber({ life, onNumber, signal }: AskedApproval, number: string): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  const told = async (): Promise<void> => {
    try {
      await onNumber(number);
    } catch (error) {
      failed = { error };
    }
  };
  await within("onNumber", Math.min(PATIENCE, life), told, isAnything);
  if (failed !== undefined) throw failed.error;
  signal?.throwIfAborted();
}
