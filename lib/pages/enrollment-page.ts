import { brand, cardHeading } from "./fragments.js";
import { html } from "./html.js";
import { renderPage } from "./layout.js";
import { drawnBy } from "./method-page.js";
import { problemPage } from "./problem-page.js";
import type { EnrollmentView, LayoutParts, PageContext } from "./views.js";

/** What a method shows of an enrollment that is open, and its form for the proof. */
export function enrollmentPage(context: PageContext, { answer, factorId, problem, type }: EnrollmentView): LayoutParts {
  const drawn = drawnBy(context, type);
  const part = drawn?.page.enrollment?.({ ...drawn.drawing, factorId, answer, problem });
  if (drawn === undefined || part === undefined) {
    return problemPage(context, { problem: problem ?? { code: "not-found" } });
  }
  const { common } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">${cardHeading(drawn.page.icon, part.title)} ${part.body}</section>
    <footer class="sf-foot">
      ${part.links}
      <a href="${context.base}/settings">${common.cancel}</a>
    </footer>
  </div>`;
  return renderPage(context, problem === undefined ? part.title : common.titleWithProblem(part.title), body);
}
