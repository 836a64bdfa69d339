import { failure, type Problem, success } from "../core/errors.js";
import type { PasskeyDesk } from "../engine/passkey-desk.js";
import { isDue } from "../policy/assess.js";
import { destination } from "./challenge-routes.js";
import { settingsAgain } from "./enrollment-routes.js";
import { enroll } from "./passkey-routes.js";
import { type Route, route, type Scene } from "./route.js";
import * as schemas from "./schemas.js";
import { saveMark } from "./session.js";

/** Where the user was going, which is used up by it: an application may have sent them here itself. */
async function goOn(scene: Scene): Promise<string> {
  const { req, visit } = scene;
  const { mark } = visit.visitor;
  if (mark?.returnTo === undefined) return destination(scene);
  const { returnTo, ...arrived } = mark;
  await saveMark(req, arrived);
  return returnTo;
}

function offers({ engine, visit }: Scene): boolean {
  return visit.standing.status === "verified" && engine.passkeys?.offers(visit.account) === true;
}

const show = route({
  verb: "get",
  path: "/passkey/offer",
  body: schemas.nothing,
  async run(scene) {
    const { pages, req, state, visit } = scene;
    if (offers(scene)) {
      const body = { offered: true, redirectTo: destination(scene) };
      return success({ status: 200, body, page: { html: pages.passkeyOffer(req, visit) } });
    }
    const redirectTo = isDue(visit.standing) ? state.base : await goOn(scene);
    return success({ status: 200, body: { offered: false, redirectTo }, page: { redirect: redirectTo } });
  },
});

function decline(desk: PasskeyDesk): Route {
  return route({
    verb: "post",
    path: "/passkey/offer/decline",
    body: schemas.declining,
    async run(scene, { forever }) {
      if (isDue(scene.visit.standing)) return failure("second-factor-required");
      const declined = forever ? await desk.declineOffers(scene.visit.visitor) : success(undefined);
      return declined.ok ? success({ status: 204, page: { redirect: await goOn(scene) } }) : declined;
    },
    again: offerAgain,
  });
}

function offerAgain(scene: Scene, problem: Problem): string | undefined {
  const { pages, req, visit } = scene;
  const isThere = offers(scene) && problem.code !== "step-up-required";
  return isThere ? pages.passkeyOffer(req, visit, problem) : settingsAgain(scene, problem);
}

/** The offer of a passkey on the way from a login by code to where the user was going. */
export function offerRoutes(desk: PasskeyDesk): readonly Route[] {
  return [show, enroll(desk, { path: "/passkey/offer", again: offerAgain, isOnTheWay: true }), decline(desk)];
}
