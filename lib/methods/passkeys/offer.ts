import type { Account } from "../../core/account.js";
import { hasRoom } from "../../core/account-changes.js";
import { failure, type Problem, success } from "../../core/errors.js";
import { destination, goOn } from "../../http/challenge-routes.js";
import { settingsAgain } from "../../http/method-routes.js";
import { readNothing, type Route, route, type RouteContext } from "../../http/route.js";
import { isDue } from "../../policy/assess.js";
import { passkeysOf } from "./enrollment.js";
import { passkeyOffer } from "./page.js";
import { readDeclining } from "./schemas.js";

/** Below `path`: the page that offers a passkey after a login by code. */
export const OFFER_PATH = "/passkey/offer";

/** Whether this account is to be offered a passkey: it has none, and room for one, and its owner did not decline. */
export function offersPasskey(account: Account): boolean {
  return hasRoom(account) && passkeysOf(account).length === 0 && account.declinesPasskeys !== true;
}

function isOffered({ login }: RouteContext): boolean {
  return login.status.status === "verified" && offersPasskey(login.record.account);
}

function offerPage({ login, pages, req }: RouteContext, problem?: Problem): string {
  return pages.custom(req, login, passkeyOffer, problem);
}

/** The offer again, with what was wrong; where it is none any more, the settings. */
export async function offerAgain(context: RouteContext, problem: Problem): Promise<string | undefined> {
  const isThere = isOffered(context) && problem.code !== "step-up-required";
  return isThere ? offerPage(context, problem) : settingsAgain(context, problem);
}

const show = route({
  verb: "get",
  path: OFFER_PATH,
  read: readNothing,
  async run(context) {
    const { login, state } = context;
    if (isOffered(context)) {
      const body = { offered: true, redirectTo: destination(context) };
      return success({ status: 200, body, page: { render: () => offerPage(context) } });
    }
    const redirectTo = isDue(login.status) ? state.base : await goOn(context);
    return success({ status: 200, body: { offered: false, redirectTo }, page: { redirect: redirectTo } });
  },
});

const decline = route({
  verb: "post",
  path: `${OFFER_PATH}/decline`,
  read: readDeclining,
  async run(context, { forever }) {
    const { engine, login } = context;
    if (isDue(login.status)) return failure("second-factor-required");
    const declined = forever ? await engine.management.declinePasskeys(login) : success(undefined);
    return declined.ok ? success({ status: 204, page: { redirect: await goOn(context) } }) : declined;
  },
  again: offerAgain,
});

/** The offer of a passkey on the way from a login by code to where the user was going. */
export const offerRoutes: readonly Route[] = [show, decline];
