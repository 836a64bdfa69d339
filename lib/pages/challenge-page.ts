import type { MethodType } from "../core/nouns.js";
import type { MethodChoice } from "../engine/challenge.js";
import { alertBox, brand, cardHeading, codeField, isAboutCode, postButton, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import type { IconName } from "./icons.js";
import { renderPage } from "./layout.js";
import type { CodeMessages, Messages } from "./messages.js";
import { passkeyForm } from "./passkey-form.js";
import type { ChallengeView, PageContext, PageProblem } from "./views.js";

interface Asking {
  readonly context: PageContext;
  readonly view: ChallengeView;
  readonly choice: MethodChoice;
  readonly problem: PageProblem | undefined;
}

/** How one kind of method is asked for. */
interface Way {
  readonly icon: IconName;
  words(messages: Messages): { readonly title: string; readonly choose: string };
  form(asking: Asking): Html;
}

/** A code to type. */
function codeWay(kind: "digits" | "letters", icon: IconName, words: (messages: Messages) => CodeMessages): Way {
  return { icon, words, form: (asking) => codeForm(asking, kind, words(asking.context.messages)) };
}

/** A further method is a row here and its words. */
const WAYS: Partial<Record<MethodType, Way>> = {
  totp: codeWay("digits", "app", ({ challenge }) => challenge.totp),
  "backup-code": codeWay("letters", "key", ({ challenge }) => challenge.backupCode),
  passkey: { icon: "passkey", words: ({ challenge }) => challenge.passkey, form: passkeyWay },
};

interface Shown {
  readonly choice: MethodChoice;
  readonly way: Way;
}

/** Problems that only say why this page is shown: the page says it already. */
const EXPLAINED: readonly PageProblem["code"][] = ["step-up-required", "second-factor-required"];

/** Asks for a second factor: to finish a sign-in, or to confirm a change. */
export function challengePage(context: PageContext, view: ChallengeView): string {
  const { challenge, common } = context.messages;
  const problem = view.problem !== undefined && EXPLAINED.includes(view.problem.code) ? undefined : view.problem;
  const offered = view.methods.flatMap((choice): Shown[] => {
    const way = WAYS[choice.type];
    return way === undefined ? [] : [{ choice, way }];
  });
  const shown = offered.find(({ choice }) => choice.type === view.selected) ?? offered[0];
  if (shown === undefined) return nothingPage(context, view);
  const { choice, way } = shown;
  const title = view.purpose === "step-up" ? challenge.stepUpTitle : way.words(context.messages).title;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading(view.purpose === "step-up" ? "shield" : way.icon, title)} ${accountLine(context, view)}
      ${view.purpose === "step-up" && reason(context, view)} ${way.form({ context, view, choice, problem })}
      ${otherWays(
        context,
        offered.filter((each) => each !== shown),
      )}
    </section>
    ${footer(context, view)}
  </div>`;
  return renderPage(context, problem === undefined ? title : common.titleWithProblem(title), body);
}

function accountLine({ messages }: PageContext, { purpose, accountName }: ChallengeView): Html {
  const { signedInAs, signingInAs } = messages.challenge;
  return html`<p class="sf-account">
    ${purpose === "step-up" ? signedInAs : signingInAs} <strong>${accountName}</strong>
  </p>`;
}

/** What is confirmed: the operation itself where the application says which, in a frame of its own that nothing runs out of. */
function reason({ messages }: PageContext, { confirming }: ChallengeView): Html {
  const { challenge } = messages;
  if (confirming === undefined) return html`<p class="sf-lead">${challenge.stepUpLead}</p>`;
  return html`<div class="sf-operation">
    <h2>${challenge.confirming}</h2>
    <p dir="auto">${confirming}</p>
  </div>`;
}

function labelsOf({ factors }: MethodChoice): string[] {
  return factors.map(({ label }) => label).filter((label) => label !== "");
}

function codeForm({ choice, context, problem, view }: Asking, kind: "digits" | "letters", words: CodeMessages): Html {
  const { base, messages } = context;
  const field = codeField({
    label: words.label,
    hint: words.hint(context.issuer, labelsOf(choice)),
    error: problem && problemText(messages, problem, words.unreadable),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind,
  });
  return html`<form class="sf-form" method="post" action="${base}/${choice.type}">
    ${field} ${trustBox(messages, view.trustDays)}
    <button type="submit" class="sf-button">${messages.common.continue}</button>
  </form>`;
}

function passkeyWay({ choice, context, problem, view }: Asking): Html {
  const { base, issuer, messages } = context;
  const { button, cancelled, hint } = messages.challenge.passkey;
  const form = passkeyForm(context, {
    ceremony: "get",
    action: `${base}/${choice.type}`,
    fields: trustBox(messages, view.trustDays),
    button,
    cancelled,
    isFirst: problem === undefined,
  });
  return html`${problem && alertBox(problemText(messages, problem))}
    <p class="sf-lead">${hint(issuer, labelsOf(choice))}</p>
    ${form}`;
}

function trustBox({ challenge }: Messages, days: number | undefined): Html | undefined {
  if (days === undefined) return undefined;
  return html`<label class="sf-check">
    <input type="checkbox" name="trustDevice" value="true" />
    <span>${challenge.trust(days)} <small>${challenge.trustAdvice}</small></span>
  </label>`;
}

function otherWays({ base, messages }: PageContext, others: readonly Shown[]): Html | undefined {
  if (others.length === 0) return undefined;
  const items = others.map(
    ({ choice, way }) => html`<li><a href="${base}?method=${choice.type}">${way.words(messages).choose}</a></li>`,
  );
  return html`<nav class="sf-ways" aria-labelledby="sf-ways">
    <h2 id="sf-ways">${messages.challenge.otherWays}</h2>
    <ul>
      ${items}
    </ul>
  </nav>`;
}

function footer({ base, issuer, messages }: PageContext, { purpose }: ChallengeView): Html {
  const { challenge, common } = messages;
  const way =
    purpose === "step-up"
      ? html`<a href="${base}/settings">${challenge.notNow}</a>`
      : postButton(`${base}/cancel`, common.useAnotherAccount, "sf-link");
  return html`<footer class="sf-foot">
    ${way}
    <p>${challenge.lost(issuer)}</p>
  </footer>`;
}

/** Nothing is enrolled that could be asked for: only the first factor can show who it is. */
function nothingPage(context: PageContext, view: ChallengeView): string {
  const { challenge, common } = context.messages;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("shield", challenge.nothingTitle)} ${accountLine(context, view)}
      <p class="sf-lead">${challenge.nothingLead}</p>
      <a class="sf-button" href="${context.loginPath}">${common.signInAgain}</a>
    </section>
  </div>`;
  return renderPage(context, challenge.nothingTitle, body);
}
