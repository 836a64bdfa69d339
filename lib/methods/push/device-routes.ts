import type { ApprovalRequest } from "../../core/approvals.js";
import { type Outcome, success } from "../../core/errors.js";
import { iso } from "../../core/time.js";
import { recipientOf } from "../../engine/login-context.js";
import { browserIdOf } from "../../http/browser-cookie.js";
import { browserLabel } from "../../http/browser-label.js";
import { type Reply, type RequestContext, type Route, route } from "../../http/route.js";
import { clientOf } from "../../http/source.js";
import { currentUser } from "../../http/user-visibility.js";
import { type Decision, Decisions, type Sender } from "./decisions.js";
import type { DeviceClaim } from "./device-lookup.js";
import type { Push } from "./method.js";
import { APPROVE_PATH } from "./places.js";
import { readClaim, readDecision } from "./request-schemas.js";

async function list({ engine, state }: RequestContext, push: Push, claim: DeviceClaim): Promise<Outcome<Reply>> {
  const found = await new Decisions(push, engine.dependencies).list(claim);
  if (!found.ok) return found;
  const { reached } = found.value;
  const requests = found.value.requests.map((each) => ({ ...each, expiresAt: iso(each.expiresAt) }));
  return success({ status: 200, body: { requests, reached }, page: { redirect: `${state.base}${APPROVE_PATH}` } });
}

/** Whose request it is that an answer is sent with: the session's login, and the browser, as far as either says so. */
async function senderOf({ engine, req, settings, state }: RequestContext): Promise<Sender> {
  const { login } = state;
  const user = login?.user ?? currentUser(req);
  const loginId = login && recipientOf(login);
  const browserId = await browserIdOf(req, settings, engine);
  return {
    client: clientOf(req),
    browser: browserLabel(req.get("user-agent")),
    userId: user === undefined ? undefined : settings.userId(user),
    isAsker({ askedBy, askingBrowser }: Pick<ApprovalRequest, "askedBy" | "askingBrowser">): boolean {
      const isLogin = loginId !== undefined && (askedBy === loginId || askedBy.startsWith(`${loginId}/`));
      return isLogin || (browserId !== undefined && askingBrowser === browserId);
    },
  };
}

async function decide(context: RequestContext, push: Push, decision: Decision): Promise<Outcome<Reply>> {
  const { engine, state } = context;
  const taken = await new Decisions(push, engine.dependencies).decide(decision, await senderOf(context));
  if (!taken.ok) return taken;
  return success({ status: 204, page: { redirect: `${state.base}${APPROVE_PATH}` } });
}

/** A row for a device: nobody is logged in on it, and whatever session it sends lets it do nothing more. */
function deviceRow<Input>(
  path: string,
  read: (body: unknown) => Input | undefined,
  run: (context: RequestContext, input: Input) => Promise<Outcome<Reply>>,
): Route {
  return route<Input>({ verb: "post", path, isForAnyone: true, isLimited: true, read, run, runAnonymous: run });
}

/** What devices ask, and what they answer. */
export function deviceRoutes(push: Push): readonly Route[] {
  return [
    deviceRow("/push/requests", readClaim, (context, claim) => list(context, push, claim)),
    deviceRow("/push/decide", readDecision, (context, decision) => decide(context, push, decision)),
  ];
}
