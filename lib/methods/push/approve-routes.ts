import { failure, type Outcome, success } from "../../core/errors.js";
import { wantsPage } from "../../http/answers.js";
import { readNothing, type Reply, type RequestContext, type Route, route } from "../../http/route.js";
import { approvePage } from "./approve-page.js";
import type { PushChannel } from "./channel.js";
import { APPROVE_PATH } from "./places.js";
import { browserChannel } from "./worker.js";

/** The device's own page, the same for whoever opens it. A client of the API has `POST /push/requests` for it. */
export function approveRoutes(channels: readonly PushChannel[]): readonly Route[] {
  const channel = browserChannel(channels);
  async function show({ pages, req }: RequestContext): Promise<Outcome<Reply>> {
    if (!wantsPage(req, pages)) return failure("not-found");
    const render = () => pages.forAnyone(req, (context) => approvePage(context, channel));
    return success({ status: 200, page: { render } });
  }
  return [
    route({ verb: "get", path: APPROVE_PATH, isForAnyone: true, read: readNothing, run: show, runAnonymous: show }),
  ];
}
