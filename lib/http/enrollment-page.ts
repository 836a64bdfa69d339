import { failure, type Problem, success } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import { webOrigins } from "../core/origins.js";
import type { EnrollmentAim } from "../engine/enrollment-pages.js";
import type { EnrollmentTerms } from "../engine/open-enrollments.js";
import { isDue } from "../policy/assess.js";
import { wantsPage } from "./answers.js";
import { choiceIn } from "./other-sessions.js";
import { newPhonePath, settingsPath } from "./request-state.js";
import { readNothing, type Route, route, type RouteContext } from "./route.js";
import { userOf } from "./settings.js";
import type { LayoutParts } from "../pages/views.js";

/** Below `path`: the page of an enrollment of this kind that is open. */
export function enrollmentPath(type: MethodType): string {
  return `/${type}/enroll`;
}

/** What an enrollment, or a message, calls the site and the account, and in which words. */
export function termsFor({ login, pages, req, settings }: RouteContext, type: MethodType): EnrollmentTerms {
  const user = userOf(login);
  const [origin] = webOrigins(login.source.origins);
  const names = { issuer: settings.issuer(req, user), accountName: settings.accountName(user), origin };
  return { ...names, ...pages.writing(req, login, type) };
}

function factorIdIn(body: unknown): string {
  const factorId = (body as { readonly factorId?: unknown } | undefined)?.factorId;
  return typeof factorId === "string" ? factorId : "";
}

/** The page again after a wrong proof, with everything that it showed. */
export async function enrollmentAgain(
  context: RouteContext,
  type: MethodType,
  problem: Problem,
  body: unknown,
): Promise<LayoutParts> {
  const { engine, login, pages, req } = context;
  const about = { factorId: factorIdIn(body), type };
  const open = await engine.enrollmentPages.again(login, about, termsFor(context, type));
  return pages.enrollment(req, login, type, { ...open, problem, endsOthers: choiceIn(body) });
}

/** Where the browser goes that has nothing open, or nothing more: to where it can begin. */
function beginning({ login, state }: RouteContext, { guided }: EnrollmentAim = {}): string {
  if (isDue(login.status)) return state.base;
  return guided === true ? newPhonePath(state) : settingsPath(state);
}

/** The page of an enrollment, which may be loaded again, and turning away from it. `again`: where problems of them are told. */
export function enrollmentPageRoutes(type: MethodType, again: NonNullable<Route["again"]>): readonly Route[] {
  return [
    route({
      verb: "get",
      path: enrollmentPath(type),
      read: readNothing,
      async run(context) {
        const { engine, login, pages, req } = context;
        // Clients of the API begin it again, and have the same answer.
        if (!wantsPage(req, pages)) return failure("not-found");
        const found = await engine.enrollmentPages.find(login, type, termsFor(context, type));
        if (!found.ok) return found;
        const { value: open } = found;
        const page =
          open === undefined
            ? { redirect: beginning(context) }
            : { render: () => pages.enrollment(req, login, type, open) };
        return success({ status: 200, body: {}, page });
      },
      again,
    }),
    route({
      verb: "post",
      path: `${enrollmentPath(type)}/cancel`,
      read: readNothing,
      async run(context) {
        const aim = await context.engine.enrollmentPages.cancel(context.login, type);
        return success({ status: 204, page: { redirect: beginning(context, aim) } });
      },
      again,
    }),
  ];
}
