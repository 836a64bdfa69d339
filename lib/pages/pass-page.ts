import { codeField, isAboutCode } from "./forms.js";
import { brand, cardHeading, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import type { OwnPage, PagePart } from "./method-page.js";
import type { PageContext } from "./views.js";

/** For somebody whom the help desk has given a code. Whether it has is not told to whoever has only a password. */
export function passLink({ base, messages }: PageContext): Html {
  return html`<a href="${base}/temporary-pass">${messages.pass.link}</a>`;
}

/** Asks for what the help desk gave out. Whoever sees it has shown a password at most, so it names nobody. */
export function passPage({ context, problem }: OwnPage): PagePart {
  const { base, messages } = context;
  const { common, pass } = messages;
  const field = codeField({
    label: pass.label,
    hint: pass.hint(context.issuer),
    error: problem && problemText(messages, problem, pass.unreadable),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind: "letters",
  });
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("key", pass.title)}
      <p class="sf-lead">${pass.lead}</p>
      <form class="sf-form" method="post" action="${base}/temporary-pass">
        ${field}
        <button type="submit" class="sf-button">${common.continue}</button>
      </form>
    </section>
    <footer class="sf-foot">
      <a href="${base}">${pass.back}</a>
    </footer>
  </div>`;
  return { title: problem === undefined ? pass.title : common.titleWithProblem(pass.title), body };
}
