import type { MethodChoice } from "../engine/choices.js";
import { hiddenField, postButton } from "./forms.js";
import { alertBox, brand, cardHeading } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import type { Messages } from "./messages.js";
import { type Drawn, drawnBy } from "./method-page.js";
import type { ChallengeView, PageContext, PageProblem } from "./views.js";

type Shown = Drawn & {
  /** The factors that can be proved. */
  readonly choice: MethodChoice;
  /** All of them are closed: too many wrong answers. */
  readonly isClosed: boolean;
};

/** Problems that only say why this page is shown: the page says it already. */
const EXPLAINED: readonly PageProblem["code"][] = ["step-up-required", "second-factor-required"];

/** Asks for a second factor: to finish a sign-in, or to confirm a change. */
export function challengePage(context: PageContext, view: ChallengeView): string {
  const { challenge, common } = context.messages;
  const problem = problemOf(view);
  const offered = view.methods.flatMap((choice) => shownOf(context, choice));
  const shown = offered.find(({ choice }) => choice.type === view.selected) ?? offered[0];
  if (shown === undefined) return nothingPage(context, view);
  const { choice, drawing, isClosed, page } = shown;
  const isStepUp = view.purpose === "step-up";
  const title = isStepUp ? challenge.stepUpTitle : drawing.words.challenge.title;
  const fields = operationFields(view);
  const trust = view.operation
    ? html`${Object.entries(fields).map(([name, value]) => hiddenField(name, value))}`
    : trustBox(context.messages, view.trustDays);
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading(isStepUp ? "shield" : page.icon, title)} ${accountLine(context, view)}
      ${isStepUp && reason(context, view)} ${closedNotice(context, offered, shown, problem)}
      ${unusableNotice(context, view)} ${!isClosed && page.challenge({ ...drawing, choice, fields, trust, problem })}
      ${otherWays(
        context,
        view,
        offered.filter((each) => each !== shown && !each.isClosed),
      )}
    </section>
    ${footer(context, view)}
  </div>`;
  return renderPage(context, problem === undefined ? title : common.titleWithProblem(title), body);
}

function problemOf({ problem }: ChallengeView): PageProblem | undefined {
  return problem !== undefined && EXPLAINED.includes(problem.code) ? undefined : problem;
}

function shownOf(context: PageContext, choice: MethodChoice): Shown[] {
  const drawn = drawnBy(context, choice.type);
  const factors = choice.factors.filter(({ closed }) => closed !== true);
  return drawn === undefined ? [] : [{ ...drawn, choice: { ...choice, factors }, isClosed: factors.length === 0 }];
}

function accountLine({ messages }: PageContext, { purpose, accountName }: ChallengeView): Html {
  const { signedInAs, signingInAs } = messages.challenge;
  return html`<p class="sf-account">
    ${purpose === "step-up" ? signedInAs : signingInAs} <strong>${accountName}</strong>
  </p>`;
}

/** What is confirmed: the operation itself where the application says which, in a frame of its own that nothing runs out of. */
function reason({ messages }: PageContext, { operation }: ChallengeView): Html {
  const { challenge } = messages;
  if (operation === undefined) return html`<p class="sf-lead">${challenge.stepUpLead}</p>`;
  return html`<div class="sf-operation">
    <h2>${challenge.confirming}</h2>
    <p dir="auto">${operation.text}</p>
  </div>`;
}

function trustBox({ challenge }: Messages, days: number | undefined): Html | undefined {
  if (days === undefined) return undefined;
  return html`<label class="sf-check">
    <input type="checkbox" name="trustDevice" value="true" />
    <span>${challenge.trust(days)} <small>${challenge.trustAdvice}</small></span>
  </label>`;
}

/** Which ways are closed, so that nobody looks for the one they are used to. */
function closedNotice(
  { messages }: PageContext,
  offered: readonly Shown[],
  shown: Shown,
  problem: PageProblem | undefined,
): Html | undefined {
  const names = offered.filter(({ isClosed }) => isClosed).map(({ drawing }) => drawing.words.name);
  if (names.length === 0) return undefined;
  // It stands for the form, and so for what was wrong with it.
  if (shown.isClosed && problem !== undefined) return alertBox(messages.challenge.closed(names));
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("warning")}
    <p>${messages.challenge.closed(names)}</p>
  </div>`;
}

/** Which kinds the visitor has that cannot be used here at all, and why. */
function unusableNotice(context: PageContext, { methods, unusable = [] }: ChallengeView): Html | undefined {
  const types = [...new Set(unusable.map(({ type }) => type))];
  const sentences = types
    .filter((type) => !methods.some((choice) => choice.type === type))
    .map((type) => {
      const drawn = drawnBy(context, type);
      return drawn?.page.unusable?.({ ...drawn.drawing, factors: unusable.filter((each) => each.type === type) });
    })
    .filter((sentence) => sentence !== undefined);
  if (sentences.length === 0) return undefined;
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("warning")}
    <p>${sentences.join(" ")}</p>
  </div>`;
}

function otherWays({ base, messages }: PageContext, view: ChallengeView, others: readonly Shown[]): Html | undefined {
  if (others.length === 0) return undefined;
  const items = others.map(({ drawing: { type, words } }) => {
    const query = new URLSearchParams({ method: type, ...operationFields(view) });
    return html`<li><a href="${base}?${query.toString()}">${words.challenge.choose}</a></li>`;
  });
  return html`<nav class="sf-ways" aria-labelledby="sf-ways">
    <h2 id="sf-ways">${messages.challenge.otherWays}</h2>
    <ul>
      ${items}
    </ul>
  </nav>`;
}

/** Says in a form which operation it is about. */
function operationFields({ operation }: ChallengeView): Readonly<Record<string, string>> {
  return operation === undefined ? {} : { operation: operation.id };
}

/** Turning away: from one operation, which is over then; from confirming anything; from the sign-in. */
function wayOut({ base, messages }: PageContext, view: ChallengeView): Html {
  const { challenge, common } = messages;
  const leaving = { action: `${base}/cancel`, look: "link" } as const;
  if (view.purpose === "sign-in") return postButton({ ...leaving, text: common.useAnotherAccount });
  if (view.operation === undefined) return html`<a href="${base}/settings">${challenge.notNow}</a>`;
  return postButton({ ...leaving, text: challenge.notNow, fields: operationFields(view) });
}

function footer(context: PageContext, view: ChallengeView): Html {
  const { issuer, messages } = context;
  return html`<footer class="sf-foot">
    ${wayOut(context, view)}
    <p>${messages.challenge.lost(issuer)}</p>
  </footer>`;
}

/** What was to be confirmed is done, called off, or took too long. */
export function operationOverPage(context: PageContext): string {
  const { challenge, common } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", challenge.overTitle)}
      <p class="sf-lead" role="alert">${challenge.overLead}</p>
      <a class="sf-button" href="${context.base}/settings">${common.toSettings}</a>
    </section>
  </div>`;
  return renderPage(context, challenge.overTitle, body);
}

/** Nothing is enrolled that could be asked for: only the first factor can show who it is. */
function nothingPage(context: PageContext, view: ChallengeView): string {
  const { challenge, common } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", challenge.nothingTitle)} ${accountLine(context, view)} ${unusableNotice(context, view)}
      <p class="sf-lead">${challenge.nothingLead}</p>
      <a class="sf-button" href="${context.loginPath}">${common.signInAgain}</a>
    </section>
  </div>`;
  return renderPage(context, challenge.nothingTitle, body);
}
