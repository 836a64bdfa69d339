import { failure, type Outcome, success } from "../core/errors.js";
import type { LoginContext } from "../engine/login-context.js";
import type { Minted } from "../engine/method.js";
import type { CodesToShow } from "../engine/shown-codes.js";
import { isDue } from "../policy/assess.js";
import { wantsPage } from "./answers.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";

/** Below `path`: the page of new backup codes. Clients of the API have them in the answer that made them. */
export const CODES_PATH = "/backup-codes";

/**
 * Where a browser reads its new codes: on a page that it may load again. Where they cannot be kept for it they are shown at once, and
 * only then: they are in force by now, and nobody could find them out again.
 */
export async function codesReply(
  { engine, pages, req, state }: RouteContext,
  login: LoginContext,
  { codes, factor }: Minted,
  beside: Omit<CodesToShow, "codes">,
): Promise<Reply["page"]> {
  const shown: CodesToShow = { codes, ...beside };
  if (!wantsPage(req, pages)) return { redirect: beside.continueTo };
  try {
    await engine.shownCodes.keep(login, factor.id, shown);
  } catch {
    return { render: () => pages.backupCodes(req, login, shown) };
  }
  return { redirect: `${state.base}${CODES_PATH}` };
}

/** With nothing to show, or nothing more. */
function elsewhere({ login, state }: RouteContext): string {
  return isDue(login.status) ? state.base : settingsPath(state);
}

async function show(context: RouteContext): Promise<Outcome<Reply>> {
  const { engine, login, pages, req } = context;
  if (!wantsPage(req, pages)) return failure("not-found");
  const shown = login.status.status === "verified" ? await engine.shownCodes.find(login) : undefined;
  const page =
    shown === undefined ? { redirect: elsewhere(context) } : { render: () => pages.backupCodes(req, login, shown) };
  return success({ status: 200, body: {}, page });
}

async function confirm(context: RouteContext): Promise<Outcome<Reply>> {
  const { engine, login } = context;
  const shown = login.status.status === "verified" ? await engine.shownCodes.confirm(login) : undefined;
  return success({ status: 204, page: { redirect: shown?.continueTo ?? elsewhere(context) } });
}

/** New backup codes, shown until their owner says that they are saved. */
export const codesRoutes: readonly Route[] = [
  route({ verb: "get", path: CODES_PATH, read: readNothing, run: show }),
  route({ verb: "post", path: `${CODES_PATH}/saved`, read: readNothing, run: confirm }),
];
