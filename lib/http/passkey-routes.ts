import { failure, type Outcome, success } from "../core/errors.js";
import { randomId } from "../crypto/random.js";
import type { PasskeyDesk } from "../engine/passkey-desk.js";
import { challengeAgain, verifiedReply } from "./challenge-routes.js";
import { enrolledReply, settingsAgain } from "./enrollment-routes.js";
import { reconfirm } from "./reconfirm.js";
import { type Reply, type Route, route, type Scene, type Stage } from "./route.js";
import * as schemas from "./schemas.js";
import { requireSession, saveSession } from "./session.js";

/** The id that ties a challenge to this browser before anybody is logged in. */
async function browserIdOf({ req }: Stage): Promise<string> {
  const session = requireSession(req);
  if (typeof session.secondFactorBrowser === "string") return session.secondFactorBrowser;
  const id = randomId();
  session.secondFactorBrowser = id;
  await saveSession(req);
  return id;
}

function page(scene: Pick<Scene, "state">): Reply["page"] {
  return { redirect: scene.state.base };
}

function requestOptions(desk: PasskeyDesk): Route {
  return route({
    verb: "post",
    path: "/passkey/options",
    body: schemas.nothing,
    async run(scene): Promise<Outcome<Reply>> {
      const { req, settings, visit } = scene;
      const party = settings.relyingParty(req, visit.user);
      const options = await desk.requestOptions(visit.visitor, visit.account, party);
      return options.ok ? success({ status: 200, body: options.value, page: page(scene) }) : options;
    },
    async runAnonymous(stage) {
      // Where no user can be found by a passkey, nobody needs a challenge for one.
      if (stage.settings.loadUser === undefined) return failure("login-required");
      const party = stage.settings.relyingParty(stage.req);
      const body = await desk.discoverableOptions(await browserIdOf(stage), party);
      return success({ status: 200, body, page: page(stage) });
    },
  });
}

function verify(desk: PasskeyDesk): Route {
  return route({
    verb: "post",
    path: "/passkey",
    body: schemas.assertion,
    async run(scene, { credential, trustDevice }) {
      const { req, settings, visit } = scene;
      const party = settings.relyingParty(req, visit.user);
      const outcome = await desk.verify(visit.visitor, visit.account, { party, credential, trustDevice });
      return outcome.ok ? verifiedReply(scene, outcome.value) : outcome;
    },
    again: challengeAgain("passkey"),
  });
}

function creationOptions(desk: PasskeyDesk): Route {
  return route({
    verb: "post",
    path: "/passkey/enroll/options",
    body: schemas.passkeyEnrollment,
    async run(scene, { conditional, password }) {
      const { req, settings, visit } = scene;
      const visitor = await reconfirm(scene, password);
      if (!visitor.ok) return visitor;
      const party = settings.relyingParty(req, visit.user);
      const creation = { party, accountName: settings.accountName(visit.user), isConditional: conditional };
      const options = await desk.creationOptions(visitor.value, creation);
      return options.ok ? success({ status: 200, body: options.value, page: page(scene) }) : options;
    },
    again: settingsAgain,
  });
}

/** Takes a new passkey: on the settings, or on the offer, from where the browser goes on. */
export function enroll(
  desk: PasskeyDesk,
  at: Required<Pick<Route, "again" | "path">> & { readonly isOnTheWay?: true },
): Route {
  return route({
    verb: "post",
    path: at.path,
    body: schemas.attestation,
    async run(scene, { credential, label, password }) {
      const { req, settings, visit } = scene;
      const visitor = await reconfirm(scene, password);
      if (!visitor.ok) return visitor;
      const party = settings.relyingParty(req, visit.user);
      const outcome = await desk.enroll(visitor.value, visit.account, { party, credential, label });
      return outcome.ok ? enrolledReply(scene, outcome.value, at.isOnTheWay) : outcome;
    },
    again: at.again,
  });
}

/** Ceremonies of passkeys: options with a challenge, and the answer to it. */
export function passkeyRoutes(desk: PasskeyDesk): readonly Route[] {
  return [
    requestOptions(desk),
    verify(desk),
    creationOptions(desk),
    enroll(desk, { path: "/passkey/enroll", again: settingsAgain }),
  ];
}
