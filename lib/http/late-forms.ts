import type { LoginContext } from "../engine/login-context.js";
import { fingerprint } from "../crypto/fingerprint.js";
import { success, type Outcome } from "../core/errors.js";
import { wantsPage } from "./answers.js";
import { goOn, isSettled } from "./challenge-routes.js";
import type { Reply, RouteContext } from "./route.js";

/** For which stage of which login a challenge is shown: its form says so, and nothing else can be told from it. */
export function shownFor({ session }: LoginContext): string {
  return session === undefined ? "" : fingerprint(`shown ${session.id} ${session.stage ?? ""}`);
}

/**
 * The answer to a challenge's form that is sent after its login rose in another tab, and when nothing more is asked: the browser goes
 * on. Nothing is compared, counted or used up, and nothing rises: what was typed was meant for the sign-in that is over. Undefined
 * for every other request.
 */
export async function lateReply(context: RouteContext, shown: unknown): Promise<Outcome<Reply> | undefined> {
  const { login, pages, req } = context;
  const isLate = typeof shown === "string" && isSettled(login) && shown !== shownFor(login) && wantsPage(req, pages);
  if (!isLate) return undefined;
  return success({ status: 204, page: { redirect: await goOn(context) } });
}
