import { hasRoom } from "../../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../../core/errors.js";
import { frozenUntil } from "../../core/reports.js";
import { destination, goOn } from "../../http/challenge-routes.js";
import { settingsAgain } from "../../http/method-routes.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "../../http/route.js";
import type { LayoutParts } from "../../pages/views.js";
import { isDue } from "../../policy/assess.js";
import { listedLogin, type LoginContext } from "../../engine/login-context.js";
import { opensSettings } from "../../policy/access.js";
import { activePasskeysOf } from "./enrollment.js";
import type { Passkeys } from "./method.js";
import { passkeyOffer } from "./page.js";
import { readDeclining } from "./schemas.js";

/** Below `path`: the page that offers a passkey after a login by code. */
export const OFFER_PATH = "/passkey/offer";

/** Whether this login has shown enough to add anything to the account. */
function mayAdd(login: LoginContext, now: number): boolean {
  const isFrozen = frozenUntil(login.record.account, now) !== undefined;
  return !isFrozen && listedLogin(login)?.proofs.some(({ method }) => opensSettings(login, method)) === true;
}

/**
 * Whether a passkey is to be offered: the account has none for this site, and room for one that may be added, and its owner did not
 * decline.
 */
export function offersPasskey(passkeys: Passkeys, login: LoginContext, now: number): boolean {
  const { record, source } = login;
  const { account } = record;
  if (!mayAdd(login, now)) return false;
  if (!hasRoom(account) || account.declinesPasskeys === true || !passkeys.isFor(source)) return false;
  return activePasskeysOf(account).every((each) => passkeys.obstacle(each, source) !== undefined);
}

function offerPage({ login, pages, req }: RouteContext, problem?: Problem): LayoutParts {
  return pages.custom(req, login, passkeyOffer, problem);
}

/** The offer of a passkey on the way from a login by code to where the user was going. */
export class Offer {
  constructor(private readonly passkeys: Passkeys) {}

  /** The offer again, with what was wrong; where it is none any more, the settings. */
  async again(context: RouteContext, problem: Problem): Promise<LayoutParts | undefined> {
    const isThere = this.isMade(context) && problem.code !== "step-up-required";
    return isThere ? offerPage(context, problem) : settingsAgain(context, problem);
  }

  routes(): readonly Route[] {
    return [
      route({ verb: "get", path: OFFER_PATH, read: readNothing, run: (context) => this.show(context) }),
      route({
        verb: "post",
        path: `${OFFER_PATH}/decline`,
        read: readDeclining,
        run: decline,
        again: (context, problem) => this.again(context, problem),
      }),
    ];
  }

  private isMade({ login, settings }: RouteContext): boolean {
    return login.status.status === "verified" && offersPasskey(this.passkeys, login, settings.clock());
  }

  private async show(context: RouteContext): Promise<Outcome<Reply>> {
    const { login, state } = context;
    if (this.isMade(context)) {
      const body = { offered: true, redirectTo: destination(context) };
      return success({ status: 200, body, page: { render: () => offerPage(context) } });
    }
    const redirectTo = isDue(login.status) ? state.base : await goOn(context);
    return success({ status: 200, body: { offered: false, redirectTo }, page: { redirect: redirectTo } });
  }
}

async function decline(context: RouteContext, { forever }: { readonly forever: boolean }): Promise<Outcome<Reply>> {
  const { engine, login } = context;
  if (isDue(login.status)) return failure("second-factor-required");
  const declined = forever ? await engine.management.declinePasskeys(login) : success(undefined);
  return declined.ok ? success({ status: 204, page: { redirect: await goOn(context) } }) : declined;
}
