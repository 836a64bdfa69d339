import { isEnrolled } from "../core/account.js";
import { type Outcome, success } from "../core/errors.js";
import { BACKUP_CODE, type MethodType } from "../core/nouns.js";
import { isDue } from "../policy/assess.js";
import type { Risen } from "../engine/risen.js";
import type { Verified } from "../engine/verification.js";
import { wantsPage } from "./answers.js";
import { type Reply, type Route, route, type Scene } from "./route.js";
import * as schemas from "./schemas.js";
import { saveReturnTo } from "./session.js";
import { settingsPath } from "./state.js";

/** Where the user was going: what the gate kept, else the front page. */
export function destination({ visit }: Scene): string {
  return visit.visitor.mark?.returnTo ?? "/";
}

/** Once a proof is given, the browser comes back to the settings. Answers the scene as it is from now on. */
export async function thenSettings(scene: Scene): Promise<Scene> {
  const { req, state, visit } = scene;
  const { mark } = visit.visitor;
  if (mark === undefined) return scene;
  const next = await saveReturnTo(req, mark, settingsPath(state));
  return { ...scene, visit: { ...visit, visitor: { ...visit.visitor, mark: next } } };
}

function isFromSettings({ req, state, visit }: Scene): boolean {
  return !isDue(visit.standing) && req.get("referer")?.endsWith(settingsPath(state)) === true;
}

/** The page a problem of a proof is told on: the challenge again. A step-up leads back to where it was asked for. */
export function challengeAgain(type?: MethodType): NonNullable<Route["again"]> {
  return ({ confirming, pages, req, visit }, problem) => {
    if (visit.standing.status === "must-enroll") return pages.due(req, visit, problem);
    return problem.code === "expired" ? undefined : pages.challenge(req, visit, type, problem, confirming);
  };
}

async function show(asked: Scene): Promise<Outcome<Reply>> {
  // Somebody who came from the settings to confirm that it is them goes back there.
  const scene = isFromSettings(asked) ? await thenSettings(asked) : asked;
  const { engine, pages, req, state, visit } = scene;
  const { account, standing } = visit;
  const methods = engine.challenge.choices(account, visit.visitor.mark);
  const expiresAt = "expiresAt" in standing ? { expiresAt: new Date(standing.expiresAt).toISOString() } : {};
  const body = { status: standing.status, methods, preferred: methods[0]?.type ?? null, ...expiresAt };
  const nothingToProve = standing.status === "not-enrolled" && !isEnrolled(account);
  const confirming = await engine.stepUp.shown(visit.visitor);
  const page = nothingToProve
    ? { redirect: settingsPath(state) }
    : { html: pages.due(req, visit, undefined, confirming) };
  return success({ status: 200, body, page });
}

async function cancel({ engine, settings, state, visit }: Scene): Promise<Outcome<Reply>> {
  // Nothing is pending: whoever turns away from confirming something stays signed in.
  if (!isDue(visit.standing)) return success({ status: 204, page: { redirect: settingsPath(state) } });
  await engine.signIn.cancel(visit.visitor);
  await state.forget(true);
  return success({ status: 204, page: { redirect: settings.loginPath } });
}

/** After a sign-in by code on the pages. Not where the browser was trusted just now: a new factor ends all trust. */
function leadsToOffer({ engine, pages, req, visit }: Scene, { proof, value }: Verified<Risen>): boolean {
  const isByCode = visit.standing.status === "pending" && proof.method !== BACKUP_CODE;
  if (!isByCode || value.deviceToken !== undefined || !wantsPage(req, pages)) return false;
  return engine.passkeys?.offers(value.account) === true;
}

/** The answer to a proof: the login has risen, and the browser goes where it was going, if by way of an offer. */
export function verifiedReply(scene: Scene, verified: Verified<Risen>): Outcome<Reply> {
  const { answer, value } = verified;
  const redirectTo = destination(scene);
  const body = { status: "verified", redirectTo, amr: scene.engine.challenge.amr(value.login), ...answer };
  if (leadsToOffer(scene, verified)) {
    return success({ status: 200, body, page: { redirect: `${scene.state.base}/passkey/offer` }, mark: value.mark });
  }
  const { returnTo: _used, ...mark } = value.mark;
  const token = value.deviceToken === undefined ? {} : { deviceToken: value.deviceToken };
  return success({ status: 200, body, page: { redirect: redirectTo }, mark, ...token });
}

/** Proves a factor by a typed code: every method of that kind has the same route. */
function prove(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}`,
    body: schemas.proof,
    async run(scene, { code, trustDevice }) {
      const { engine, visit } = scene;
      const outcome = await engine.challenge.verify(visit.visitor, { type, code, trustDevice });
      return outcome.ok ? verifiedReply(scene, outcome.value) : outcome;
    },
    again: challengeAgain(type),
  });
}

/** Asking for a second factor, answering it, and turning away. */
export function challengeRoutes(types: readonly MethodType[]): readonly Route[] {
  return [
    route({ verb: "get", path: "/", body: schemas.nothing, run: show }),
    route({ verb: "post", path: "/cancel", body: schemas.nothing, run: cancel }),
    ...types.map(prove),
  ];
}
