import type { MethodType } from "../core/nouns.js";
import type { MethodChoice } from "../engine/challenge.js";
import { brand, cardHeading, codeField, isAboutCode, postButton, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import type { IconName } from "./icons.js";
import { renderPage } from "./layout.js";
import type { CodeMessages, Messages } from "./messages.js";
import type { ChallengeView, PageContext, PageProblem } from "./views.js";

interface Form {
  readonly kind: "digits" | "letters";
  readonly icon: IconName;
  words(messages: Messages): CodeMessages;
}

/** The methods that are a code to type, each a form of its own. A further one is a row here and its words. */
const FORMS: Partial<Record<MethodType, Form>> = {
  totp: { kind: "digits", icon: "app", words: ({ challenge }) => challenge.totp },
  "backup-code": { kind: "letters", icon: "key", words: ({ challenge }) => challenge.backupCode },
};

interface Shown {
  readonly choice: MethodChoice;
  readonly form: Form;
}

/** Problems that only say why this page is shown: the page says it already. */
const EXPLAINED: readonly PageProblem["code"][] = ["step-up-required", "second-factor-required"];

/** Asks for a second factor: to finish a sign-in, or to confirm a change. */
export function challengePage(context: PageContext, view: ChallengeView): string {
  const { challenge, common } = context.messages;
  const problem = view.problem !== undefined && EXPLAINED.includes(view.problem.code) ? undefined : view.problem;
  const offered = view.methods.flatMap((choice): Shown[] => {
    const form = FORMS[choice.type];
    return form === undefined ? [] : [{ choice, form }];
  });
  const shown = offered.find(({ choice }) => choice.type === view.selected) ?? offered[0];
  if (shown === undefined) return nothingPage(context, view);
  const title = view.purpose === "step-up" ? challenge.stepUpTitle : shown.form.words(context.messages).title;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading(view.purpose === "step-up" ? "shield" : shown.form.icon, title)} ${accountLine(context, view)}
      ${view.purpose === "step-up" && html`<p class="sf-lead">${challenge.stepUpLead}</p>`}
      ${codeForm(context, view, shown, problem)}
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

function codeForm(context: PageContext, view: ChallengeView, { choice, form }: Shown, problem?: PageProblem): Html {
  const { base, messages } = context;
  const words = form.words(messages);
  const labels = choice.factors.map(({ label }) => label).filter((label) => label !== "");
  const field = codeField({
    label: words.label,
    hint: words.hint(context.issuer, labels),
    error: problem && problemText(messages, problem, words.unreadable),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind: form.kind,
  });
  return html`<form class="sf-form" method="post" action="${base}/${choice.type}">
    ${field} ${trustBox(messages, view.trustDays)}
    <button type="submit" class="sf-button">${messages.common.continue}</button>
  </form>`;
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
    ({ choice, form }) => html`<li><a href="${base}?method=${choice.type}">${form.words(messages).choose}</a></li>`,
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
