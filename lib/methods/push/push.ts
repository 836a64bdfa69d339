import type { Account } from "../../core/account.js";
import { isReported } from "../../core/approvals.js";
import { ConfigurationError } from "../../core/errors.js";
import { SECOND } from "../../core/nouns.js";
import type { AskedApproval } from "../../engine/approval.js";
import type { Engine } from "../../engine/engine.js";
import type { LoginContext } from "../../engine/login-context.js";
import type { Method } from "../../http/method.js";
import { type Duration, milliseconds } from "../../policy/durations.js";
import { approve } from "./approval.js";
import type { PushChannel } from "./channel.js";
import { approveRoutes } from "./approve-routes.js";
import { pushWorker } from "./embedded.js";
import { enrollmentRoutes } from "./enrollment-routes.js";
import { Push } from "./method.js";
import { pushProblems } from "./option-problems.js";
import { pushPage } from "./page.js";
import { REPORTED } from "./pauses.js";
import { WORKER_PATH } from "./places.js";
import type { PresentedPush } from "./proofs.js";
import { requestRoutes } from "./request-routes.js";
import type { PushState } from "./state.js";

/** What the settings say in JSON, while nothing is asked until another kind of factor was used. */
function pausedMember(account: Account): { readonly push?: { readonly paused: string } } {
  return isReported(account.approvals, "push") ? { push: { paused: REPORTED } } : {};
}

export interface PushOptions {
  /**
   * How devices are woken, each by a name of its own. Required; `[]`: by nothing, and each has to be opened to see what it is asked.
   */
  readonly channels: readonly PushChannel[];
  /** How long a channel may take to hand a message over, up to 30 s; then it stays counted. Default: `"10s"`. */
  readonly timeout?: Duration;
}

/**
 * Approval on a device of the owner's: its browser, or your app. The sign-in page shows a number of two digits, which its owner types
 * on the device; that signs its answer with a key of its own (P-256). One question at a time, two minutes each, asked again by nobody
 * but the owner.
 *
 * Does NOT withstand a look-alike site that shows its visitor the number: that takes a passkey. Does NOT verify that a key is kept by
 * hardware: a device says so.
 *
 * @throws ConfigurationError without `channels`, for a channel that is none, and for options that are none
 *
 * @example
 * ```ts
 * import { backupCodes, push, totp } from "express-second-factor";
 *
 * app.use(secondFactor({ ..., methods: [totp(), push({ channels: [] }), backupCodes()] }));
 * ```
 */
export function push(options: PushOptions): Method<PushState, PresentedPush> {
  const problems = pushProblems(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { channels, timeout = "10s" } = options;
  const method = new Push({ channels: [...channels], timeout: milliseconds(timeout) ?? 10 * SECOND });
  return Object.assign(method, {
    page: pushPage(channels),
    routes: [...enrollmentRoutes(method), ...requestRoutes(method), ...approveRoutes(channels)],
    scripts: { [WORKER_PATH]: pushWorker },
    settings: ({ record }: LoginContext) => pausedMember(record.account),
    approve: (engine: Engine, asked: AskedApproval) => approve(method, engine, asked),
  });
}
