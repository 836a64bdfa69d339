import { hiddenField, postButton } from "./forms.js";
import { brand, cardHeading } from "./fragments.js";
import { type Html, html } from "./html.js";
import { renderPage } from "./layout.js";
import { drawnBy } from "./method-page.js";
import { fromNewPhone, newPhoneWay } from "./new-phone-way.js";
import { othersPart } from "./other-sessions.js";
import { problemPage } from "./problem-page.js";
import type { EnrollmentView, LayoutParts, PageContext } from "./views.js";

/** What a form sends that begins the same once more. */
function again({ guided, replaces }: EnrollmentView): Html {
  return html`${replaces && hiddenField("replaces", replaces.id)} ${guided && fromNewPhone()}`;
}

function purpose({ messages }: PageContext, { replaces }: EnrollmentView): Html | undefined {
  return replaces && html`<p class="sf-lead">${messages.newPhone.takesPlace(replaces.label)}</p>`;
}

/** What a method shows of an enrollment that is open, and its form for the proof. */
export function enrollmentPage(context: PageContext, view: EnrollmentView): LayoutParts {
  const { answer, factorId, problem, type } = view;
  const drawn = drawnBy(context, type);
  const others = othersPart(context, view.others);
  const part = drawn?.page.enrollment?.({ ...drawn.drawing, factorId, answer, others, again: again(view), problem });
  if (drawn === undefined || part === undefined) {
    return problemPage(context, { problem: problem ?? { code: "not-found" } });
  }
  const { common } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${view.guided && newPhoneWay(context, "set-up")} ${cardHeading(drawn.page.icon, part.title)}
      ${purpose(context, view)} ${part.body}
    </section>
    <footer class="sf-foot">
      ${part.links}
      ${postButton({ action: `${context.base}/${type}/enroll/cancel`, text: common.cancel, look: "link" })}
    </footer>
  </div>`;
  return renderPage(context, problem === undefined ? part.title : common.titleWithProblem(part.title), body);
}
