import * as v from "valibot";
import { bareCode } from "../core/codes.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import { readPaperCode } from "../crypto/paper-codes.js";
import type { LoginStatus } from "../policy/assess.js";
import { passPage } from "../pages/pass-page.js";
import type { LayoutParts } from "../pages/views.js";
import { amrOf } from "./description.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";
import { reader, text } from "./schemas.js";

/** Below `path`: where somebody types what the help desk gave out in the place of a factor. */
const PATH = "/temporary-pass";

/** Where such a code stands in for something. */
const ASKED: readonly LoginStatus["status"][] = ["pending", "must-enroll", "trusted-device"];

/** A code that can be one, as it is digested. */
const readPass = reader(
  v.object({
    code: v.pipe(
      text,
      v.transform((code) => readPaperCode(bareCode(code)) ?? ""),
      v.nonEmpty(),
    ),
  }),
);

function pageOf({ login, pages, req }: RouteContext, problem?: Problem): LayoutParts {
  return pages.custom(req, login, passPage, problem);
}

/** The page. It is the same whether there is such a code or not: nothing lists one. */
function show(context: RouteContext): Promise<Outcome<Reply>> {
  const { status } = context.login.status;
  const page = ASKED.includes(status) ? { render: () => pageOf(context) } : { redirect: settingsPath(context.state) };
  return Promise.resolve(success({ status: 200, body: { status }, page }));
}

/** Whoever is let in so comes to set a new factor up; where they were going is kept until they have. */
async function use(context: RouteContext, { code }: { readonly code: string }): Promise<Outcome<Reply>> {
  const { engine, login: before, state } = context;
  const outcome = await engine.temporaryPasses.use(before, code);
  if (!outcome.ok) return outcome;
  const { login } = outcome.value;
  const { status } = login;
  if (status.status !== "verified") return failure("expired");
  const redirect = settingsPath(state);
  const body = { status: status.status, redirectTo: redirect, amr: amrOf(engine, status.login) };
  const done = { what: "pass-used" } as const;
  return success({ status: 200, body, page: { redirect }, session: login.session, risen: login, done });
}

/** A wrong one is told beside the field; what is over, or was not asked for, on a page that says so. */
function again(context: RouteContext, problem: Problem): LayoutParts | undefined {
  return ASKED.includes(context.login.status.status) && problem.code !== "expired"
    ? pageOf(context, problem)
    : undefined;
}

/** A code that the help desk gave out, in the place of a factor. */
export const passRoutes: readonly Route[] = [
  route({ verb: "get", path: PATH, read: readNothing, run: show, again }),
  route({ verb: "post", path: PATH, isLimited: true, read: readPass, run: use, again }),
];
