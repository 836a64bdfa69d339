import { type Outcome, type Problem, success } from "../../core/errors.js";
import { subscriptionLines } from "../../core/device-lines.js";
import { replaceFactor } from "../../core/account-changes.js";
import type { Change } from "../../engine/account-records.js";
import { browserLabel } from "../../http/browser-label.js";
import { enrolledReply, settingsAgain } from "../../http/method-routes.js";
import { keepsOthers } from "../../http/other-sessions.js";
import { reconfirm } from "../../http/reconfirm.js";
import { type Reply, type RequestContext, type Route, route } from "../../http/route.js";
import { draftOf } from "../../http/settings-notes.js";
import { clientOf } from "../../http/source.js";
import { devicesOf, signingDevice } from "./device-lookup.js";
import { DeviceEnrollment } from "./enrollment.js";
import { readDevice, readDeviceOptions, readRenewal, type Renewal } from "./enrollment-schemas.js";
import type { Push } from "./method.js";
import { withReach } from "./subscriptions.js";

/** Every browser says that it is one; an app would be called what its HTTP client is. */
const BROWSER = /^Mozilla\//;
const DEVICE = "Device";

/** What a device is called until its owner names it. */
function deviceName(userAgent: string | undefined): string {
  return userAgent !== undefined && BROWSER.test(userAgent) ? browserLabel(userAgent) : DEVICE;
}

function optionsRoute(push: Push): Route {
  return route({
    verb: "post",
    path: `/${push.type}/enroll/options`,
    isLimited: true,
    read: readDeviceOptions,
    async run(context, { password, replaces }) {
      const confirmed = await reconfirm(context, password);
      if (!confirmed.ok) return confirmed;
      const options = await new DeviceEnrollment(push, context.engine.dependencies).options(confirmed.value, replaces);
      if (!options.ok) return options;
      return success({ status: 200, body: options.value, page: { redirect: context.state.base } });
    },
    again: (context, problem) => settingsAgain(context, problem),
  });
}

function enrollRoute(push: Push): Route {
  return route({
    verb: "post",
    path: `/${push.type}/enroll`,
    isLimited: true,
    read: readDevice,
    async run(context, { endOtherSessions, from, hardware, password, ...device }) {
      const { engine, req, settings } = context;
      const confirmed = await reconfirm(context, password);
      if (!confirmed.ok) return confirmed;
      const outcome = await new DeviceEnrollment(push, engine.dependencies).finish(confirmed.value, {
        ...device,
        name: deviceName(req.get("user-agent")),
        isHardware: hardware,
        keepsOthers: keepsOthers(settings, endOtherSessions),
      });
      if (!outcome.ok) return outcome;
      return enrolledReply(context, { ...outcome.value, ...(from && { guided: true }) });
    },
    again: (context, problem, body) =>
      settingsAgain(context, problem, { draft: draftOf({ type: push.type }, body) }, body),
  });
}

/**
 * A device that is reached elsewhere by now says so itself: nobody need be logged in on it. One that is suspended does too, so that it
 * is reached where its owner takes it back; until then it is asked nothing.
 */
async function renew(
  push: Push,
  { engine: { dependencies }, req }: RequestContext,
  { claim, reach, signed }: Renewal,
): Promise<Outcome<undefined>> {
  const { factorId, time } = claim;
  const found = await signingDevice(dependencies, claim, subscriptionLines(factorId, time, reach.channel, signed));
  if (!found.ok) return found;
  const problem = await push.reachProblem(reach);
  if (problem !== undefined) return { ok: false, problem };
  const { userId } = found.value;
  const { keys, records } = dependencies;
  const { result } = await records.change(
    { userId, client: clientOf(req) },
    async ({ account }): Promise<Change<Problem | undefined>> => {
      const device = devicesOf(account).find(({ id }) => id === factorId);
      if (device === undefined) return { result: { code: "not-found" } };
      const state = await withReach(device.state, reach, { userId, keys });
      return { account: replaceFactor(account, { ...device, state }), result: undefined };
    },
  );
  return result === undefined ? success(undefined) : { ok: false, problem: result };
}

function renewalRoute(push: Push): Route {
  const run = async (context: RequestContext, renewal: Renewal): Promise<Outcome<Reply>> => {
    const renewed = await renew(push, context, renewal);
    return renewed.ok ? success({ status: 204, page: { redirect: context.state.base } }) : renewed;
  };
  const path = `/${push.type}/subscription`;
  return route({ verb: "post", path, isForAnyone: true, isLimited: true, read: readRenewal, run, runAnonymous: run });
}

/** Setting a device up, and where it is reached from then on. */
export function enrollmentRoutes(push: Push): readonly Route[] {
  return [optionsRoute(push), enrollRoute(push), renewalRoute(push)];
}
