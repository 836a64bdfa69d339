import { postButton } from "./forms.js";
import { brand, cardHeading } from "./fragments.js";
import { html } from "./html.js";
import { renderPage } from "./layout.js";
import { drawnBy } from "./method-page.js";
import { othersPart } from "./other-sessions.js";
import { problemPage } from "./problem-page.js";
import type { EnrollmentView, PageContext } from "./views.js";

/** What a method shows of an enrollment that is open, and its form for the proof. */
export function enrollmentPage(context: PageContext, view: EnrollmentView): string {
  const { answer, factorId, problem, type } = view;
  const drawn = drawnBy(context, type);
  const others = othersPart(context, view.others);
  const part = drawn?.page.enrollment?.({ ...drawn.drawing, factorId, answer, others, problem });
  if (drawn === undefined || part === undefined) {
    return problemPage(context, { problem: problem ?? { code: "not-found" } });
  }
  const { common } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">${cardHeading(drawn.page.icon, part.title)} ${part.body}</section>
    <footer class="sf-foot">
      ${part.links}
      ${postButton({ action: `${context.base}/${type}/enroll/cancel`, text: common.cancel, look: "link" })}
    </footer>
  </div>`;
  return renderPage(context, problem === undefined ? part.title : common.titleWithProblem(part.title), body);
}
