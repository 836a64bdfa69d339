import type { MethodType } from "../core/nouns.js";
import type { MethodChoice } from "../engine/choices.js";
import { hiddenField, postButton, signInAgainButton } from "./forms.js";
import { alertBox, brand, cardHeading } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { recoveryNotice, recoveryOffer, recoveryProblem } from "./recovery-pages.js";
import { renderPage } from "./layout.js";
import type { Messages, MethodWords } from "./messages.js";
import { type ChallengeForm, type Drawn, drawnBy, type PagePart } from "./method-page.js";
import { passLink } from "./pass-page.js";
import type { ChallengeView, LayoutParts, PageContext, PageProblem } from "./views.js";

type Shown = Drawn & {
  /** The factors that can be proved. */
  readonly choice: MethodChoice;
  /** All of them are closed: too many wrong answers. */
  readonly isClosed: boolean;
};

/** Problems that only say why this page is shown: the page says it already. */
const EXPLAINED: readonly PageProblem["code"][] = ["step-up-required", "second-factor-required"];

/** Asks for a second factor: to finish a sign-in, or to confirm a change. */
export function challengePage(context: PageContext, view: ChallengeView): LayoutParts {
  const { common } = context.messages;
  const problem = problemOf(view);
  const offered = view.methods.flatMap((choice) => shownOf(context, choice));
  const shown = offered.find(({ choice }) => choice.type === view.selected) ?? offered[0];
  if (shown === undefined) return nothingToAskPage(context, view);
  const { isClosed, page } = shown;
  const isStepUp = view.purpose === "step-up";
  const fields = { ...operationFields(view), shown: view.shown };
  const trust = sentAlong(context, view, fields);
  // What has to wait says so above the form, and the problem of it is told there.
  const told = view.instead === true ? undefined : problem;
  const { body: form, title } = partOf(context, view, shown, { fields, trust, problem: told });
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading(isStepUp ? "shield" : page.icon, title)} ${accountLine(context, view)}
      ${recoveryProblem(context, view)} ${isStepUp && reason(context, view)}
      ${closedNotice(context, offered, shown, problem)} ${unusableNotice(context, view)}
      ${waitNotice(context, offered, view)} ${!isClosed && form}
      ${otherWays(
        context,
        view,
        offered.filter((each) => each !== shown && !each.isClosed),
      )}
    </section>
    ${footer(context, view)}
  </div>`;
  const isRefused = problem !== undefined || view.recovery?.problem !== undefined;
  return renderPage(context, isRefused ? common.titleWithProblem(title) : title, body);
}

/** The form of the method that is shown, or what that shows in its place. */
function partOf(
  { messages }: PageContext,
  { own, purpose, selected }: ChallengeView,
  { choice, drawing, page }: Shown,
  asking: Pick<ChallengeForm<MethodWords>, "fields" | "problem" | "trust">,
): PagePart {
  const form = { ...drawing, ...asking, choice };
  if (own !== undefined && choice.type === selected) return own(form as ChallengeForm<never>);
  const title = purpose === "step-up" ? messages.challenge.stepUpTitle : drawing.words.challenge.title;
  return { title, body: page.challenge(form) };
}

/** What goes with every proof, seen and unseen. */
function sentAlong({ messages }: PageContext, view: ChallengeView, fields: Readonly<Record<string, string>>): Html {
  const hidden = Object.entries(fields).map(([name, value]) => hiddenField(name, value));
  return html`${hidden} ${view.operation === undefined && trustBox(messages, view.trustDays)}`;
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
  const isAlert = shown.isClosed && problem !== undefined;
  return isAlert ? alertBox(messages.challenge.closed(names)) : warning(messages.challenge.closed(names));
}

function warning(text: string): Html {
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("warning")}
    <p>${text}</p>
  </div>`;
}

/** Which ways have to wait, and how long; a form that was refused for that says so itself. */
function waitNotice(
  { messages }: PageContext,
  offered: readonly Shown[],
  { instead, problem, selected }: ChallengeView,
): Html | undefined {
  const isTold = (type: MethodType): boolean => type === selected && problem?.code === "too-many-attempts";
  // What is paused says so itself.
  const waiting = offered.filter(
    ({ choice: { paused, retryAfter, type }, isClosed }) =>
      !isClosed && paused === undefined && retryAfter !== undefined && !isTold(type),
  );
  if (waiting.length === 0) return undefined;
  const seconds = Math.max(...waiting.map(({ choice }) => choice.retryAfter ?? 0));
  const names = waiting.map(({ drawing }) => drawing.words.name);
  const text = messages.challenge.limited(names, Math.max(1, Math.ceil(seconds / 60)));
  return instead === true ? alertBox(text) : warning(text);
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
  if (view.operation === undefined) return html`<a href="${view.backTo}">${challenge.notNow}</a>`;
  return postButton({ ...leaving, text: challenge.notNow, fields: operationFields(view) });
}

function footer(context: PageContext, view: ChallengeView): Html {
  const { issuer, messages } = context;
  return html`${recoveryNotice(context, view)}
    <footer class="sf-foot">
      ${wayOut(context, view)} ${view.purpose === "sign-in" && passLink(context)}
      <p>${messages.challenge.lost(issuer)}</p>
      ${recoveryOffer(context, view)}
    </footer>`;
}

/** What was to be confirmed is done, called off, or took too long. */
export function operationOverPage(context: PageContext): LayoutParts {
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

function nothingToAskPage(context: PageContext, view: ChallengeView): LayoutParts {
  const { noneLeftLead, noneLeftTitle, stuckLead, stuckTitle, suspendedLead } = context.messages.challenge;
  if (view.nothingLeft === "suspended") return helplessPage(context, view, stuckTitle, suspendedLead);
  if (view.nothingLeft !== undefined) return helplessPage(context, view, noneLeftTitle, noneLeftLead);
  if (view.isStuck) return helplessPage(context, view, stuckTitle, stuckLead);
  return nothingPage(context, view);
}

/** A new sign-in would end here again: somebody has to help. */
function helplessPage(context: PageContext, view: ChallengeView, title: string, lead: string): LayoutParts {
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", title)} ${accountLine(context, view)} ${unusableNotice(context, view)}
      <p class="sf-lead" role="alert">${lead}</p>
    </section>
    ${footer(context, view)}
  </div>`;
  return renderPage(context, title, body);
}

/** Nothing is enrolled that could be asked for: only the first factor can show who it is. */
function nothingPage(context: PageContext, view: ChallengeView): LayoutParts {
  const { challenge } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", challenge.nothingTitle)} ${accountLine(context, view)} ${unusableNotice(context, view)}
      <p class="sf-lead">${challenge.nothingLead}</p>
      ${signInAgainButton(context)}
    </section>
  </div>`;
  return renderPage(context, challenge.nothingTitle, body);
}
