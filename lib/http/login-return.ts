import type { SessionRecord } from "../policy/assess.js";
import { pagePassed, placeAsked } from "./going.js";
import type { LoggingIn } from "./log-in-call.js";
import { localPlace } from "./return-to.js";
import { sessionOf } from "./session.js";
import type { Settings } from "./settings.js";

/** Read before Passport empties the session: where the user is to land once the login is complete. */
export function returnToOf(
  { options, state }: LoggingIn,
  settings: Settings,
  back?: string,
): Pick<SessionRecord, "returnTo"> {
  const { req } = state;
  const wanted = [back, sessionOf(req)?.returnTo, options.successRedirect, options.successReturnToOrRedirect];
  const origins = settings.origins(req);
  // As a browser reads what it would be redirected to without us.
  const from = placeAsked(state, settings);
  const place = wanted.map((each) => localPlace(each, origins, from)).find((each) => each !== undefined);
  const returnTo = pagePassed(state, settings) ?? place;
  return returnTo === undefined ? {} : { returnTo };
}
