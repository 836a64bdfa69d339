import type { MethodChoice } from "../engine/authentication.js";
import { postButton } from "./forms.js";
import { brand, cardHeading } from "./fragments.js";
import { type Html, html } from "./html.js";
import { renderPage } from "./layout.js";
import type { Messages } from "./messages.js";
import { type Drawn, drawnBy } from "./method-page.js";
import type { ChallengeView, PageContext, PageProblem } from "./views.js";

type Shown = Drawn & { readonly choice: MethodChoice };

/** Problems that only say why this page is shown: the page says it already. */
const EXPLAINED: readonly PageProblem["code"][] = ["step-up-required", "second-factor-required"];

/** Asks for a second factor: to finish a sign-in, or to confirm a change. */
export function challengePage(context: PageContext, view: ChallengeView): string {
  const { challenge, common } = context.messages;
  const problem = view.problem !== undefined && EXPLAINED.includes(view.problem.code) ? undefined : view.problem;
  const offered = view.methods.flatMap((choice): Shown[] => {
    const drawn = drawnBy(context, choice.type);
    return drawn === undefined ? [] : [{ ...drawn, choice }];
  });
  const shown = offered.find(({ choice }) => choice.type === view.selected) ?? offered[0];
  if (shown === undefined) return nothingPage(context, view);
  const { choice, drawing, page } = shown;
  const isStepUp = view.purpose === "step-up";
  const title = isStepUp ? challenge.stepUpTitle : drawing.words.challenge.title;
  const trust = trustBox(context.messages, view.trustDays);
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading(isStepUp ? "shield" : page.icon, title)} ${accountLine(context, view)}
      ${isStepUp && reason(context, view)} ${page.challenge({ ...drawing, choice, trust, problem })}
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
    ({ drawing: { type, words } }) => html`<li><a href="${base}?method=${type}">${words.challenge.choose}</a></li>`,
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
      : postButton({ action: `${base}/cancel`, text: common.useAnotherAccount, look: "link" });
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
