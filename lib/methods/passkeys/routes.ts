import { failure, type Outcome, success } from "../../core/errors.js";
import { keepBrowserId } from "../../http/browser-cookie.js";
import { enrolledReply, proofRoute, settingsAgain } from "../../http/method-routes.js";
import { keepsOthers } from "../../http/other-sessions.js";
import { reconfirm } from "../../http/reconfirm.js";
import { type Reply, type RequestContext, type Route, route, type RouteContext } from "../../http/route.js";
import { readOperation } from "../../http/schemas.js";
import { siteOf, userOf } from "../../http/settings.js";
import { draftOf } from "../../http/settings-notes.js";
import { loginBinding, passwordlessBinding } from "./bindings.js";
import { activePasskeysOf, PasskeyEnrollment } from "./enrollment.js";
import type { Passkeys } from "./method.js";
import { OTHER_ADDRESS } from "./obstacles.js";
import { Offer, OFFER_PATH } from "./offer.js";
import { readAttestation, readCreation } from "./schemas.js";

function page({ state }: RequestContext): Reply["page"] {
  return { redirect: state.base };
}

/** No browser would use a passkey here, or none of those there are. */
function notHere(reason: string = OTHER_ADDRESS): Outcome<never> {
  return failure("not-found", { members: { reason } });
}

function requestOptions(passkeys: Passkeys): Route {
  return route({
    verb: "post",
    path: "/passkey/options",
    read: readOperation,
    async run(context, { operation }): Promise<Outcome<Reply>> {
      const { engine, login } = context;
      const waiting = await engine.operations.waiting(login, "passkey", operation);
      if (!waiting.ok) return waiting;
      const own = activePasskeysOf(login.record.account);
      // Without a passkey there is nothing to ask for.
      const [first] = own;
      if (first === undefined) return failure("not-found");
      const askable = passkeys.askable(own, login.source);
      if (askable === undefined) return notHere(passkeys.obstacle(first, login.source));
      const challenge = await engine.dependencies.challenges.begin(loginBinding(login, operation));
      const body = await passkeys.requestOptions({ ...askable, challenge, needsUserVerification: false });
      return success({ status: 200, body, page: page(context) });
    },
    async runAnonymous(context) {
      const { engine, req, res, settings } = context;
      // Where no user can be found by a passkey, nobody needs a challenge for one.
      if (settings.loadUser === undefined) return failure("login-required");
      const party = passkeys.partyOf(siteOf(settings, req));
      if (party === undefined) return notHere();
      const binding = passwordlessBinding(await keepBrowserId(req, res, settings, engine));
      const challenge = await engine.dependencies.challenges.begin(binding);
      // Any passkey the browser finds, with user verification. Says nothing about any user.
      const asked = { rpId: party.id, challenge, allow: [], needsUserVerification: true };
      const body = await passkeys.requestOptions(asked);
      return success({ status: 200, body, page: page(context) });
    },
  });
}

function creationOptions(passkeys: Passkeys): Route {
  return route({
    verb: "post",
    path: "/passkey/enroll/options",
    isLimited: true,
    read: readCreation,
    async run(context, { conditional, password, replaces }) {
      const { engine, req, settings } = context;
      const confirmed = await reconfirm(context, password);
      if (!confirmed.ok) return confirmed;
      const user = userOf(context.login);
      const party = passkeys.partyOf(siteOf(settings, req, user));
      if (party === undefined) return notHere();
      const enrollment = new PasskeyEnrollment(passkeys, engine.dependencies);
      const names = { accountName: settings.accountName(user), isConditional: conditional, replaces };
      const options = await enrollment.options(confirmed.value, { party, ...names });
      return options.ok ? success({ status: 200, body: options.value, page: page(context) }) : options;
    },
    again: (context, problem) => settingsAgain(context, problem),
  });
}

/** Where a new passkey is taken: on the settings, or on the offer, from where the browser goes on. */
interface Place extends Required<Pick<Route, "again" | "path">> {
  readonly isOnTheWay?: true;
}

function enroll(passkeys: Passkeys, place: Place): Route {
  return route({
    verb: "post",
    path: place.path,
    isLimited: true,
    read: readAttestation,
    async run(context: RouteContext, { credential, endOtherSessions, from, label, password, replaces }) {
      const { engine, req, settings } = context;
      const confirmed = await reconfirm(context, password);
      if (!confirmed.ok) return confirmed;
      const party = passkeys.partyOf(siteOf(settings, req, userOf(context.login)));
      if (party === undefined) return notHere();
      const enrollment = new PasskeyEnrollment(passkeys, engine.dependencies);
      const keeps = keepsOthers(settings, endOtherSessions);
      const attestation = { party, credential, label, replaces, keepsOthers: keeps };
      const outcome = await enrollment.finish(confirmed.value, attestation);
      if (!outcome.ok) return outcome;
      return enrolledReply(context, { ...outcome.value, ...(from && { guided: true }) }, place.isOnTheWay);
    },
    again: place.again,
  });
}

/** A passkey that could not be added keeps the name that was typed for it. */
const enrollAgain: Place["again"] = (context, problem, body) =>
  settingsAgain(context, problem, { draft: draftOf({ type: "passkey" }, body) }, body);

/** Ceremonies of passkeys: options with a challenge, and the answer to it; the offer of one where that is on. */
export function passkeyRoutes(passkeys: Passkeys, offers: boolean): readonly Route[] {
  const offer = new Offer(passkeys);
  const again: Place["again"] = (context, problem) => offer.again(context, problem);
  const offered = [enroll(passkeys, { path: OFFER_PATH, again, isOnTheWay: true }), ...offer.routes()];
  return [
    requestOptions(passkeys),
    proofRoute("passkey"),
    creationOptions(passkeys),
    enroll(passkeys, { path: "/passkey/enroll", again: enrollAgain }),
    ...(offers ? offered : []),
  ];
}
