import { RECOVERY_PATH, recoveryPath, type RecoveryPurpose } from "../core/recovery-paths.js";
import { isAboutCode, postButton } from "./forms.js";
import { alertBox, card, cardHeading, confirmation, problemText, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { Messages } from "./messages.js";
import type { PagePart } from "./method-page.js";
import type { ChallengeView, PageContext, PageProblem, SettingsPageView, ShownRecovery } from "./views.js";

/** When a wait is or will be over, for a page. */
export interface ShownEnd {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Until then, when the page is made. */
  readonly minutesLeft: number;
}

/** What the page of a link is told. */
export interface RecoveryLinkPage {
  readonly purpose: RecoveryPurpose;
  readonly token: string;
  /** When the wait is over once the button is pressed, where that shortens it. */
  readonly shortensTo?: ShownEnd | undefined;
}

function endText({ messages }: PageContext, { at, minutesLeft }: ShownEnd): Html {
  const left = minutesLeft > 0 ? messages.recovery.left(minutesLeft) : "";
  return html`${timeOf(messages, at, "zone")}. ${left}`;
}

/** What pressing the button does, and the button. Nothing of whose account it is: the link may have been passed on. */
export function recoveryPage(context: PageContext, { purpose, shortensTo, token }: RecoveryLinkPage): PagePart {
  const { base, messages } = context;
  const { recovery } = messages;
  const { lead, submit, title } = recovery[purpose];
  const look = purpose === "cancel" ? "danger" : "main";
  return card(
    context,
    title,
    html`${cardHeading("shield", title)}
      <p class="sf-lead">${lead} ${shortensTo !== undefined && endText(context, shortensTo)}</p>
      ${postButton({ action: `${base}${recoveryPath(purpose)}`, text: submit, look, fields: { token } })}
      <p class="sf-hint">${recovery.opened}</p>`,
  );
}

/** What was done. `end`: of the wait that has begun, or is shorter. */
export function recoveryDonePage(context: PageContext, purpose: RecoveryPurpose, end?: ShownEnd): PagePart {
  const { home, issuer, messages } = context;
  const { doneLead, doneTitle } = messages.recovery[purpose];
  const back = issuer === "" ? messages.common.continue : messages.settings.backToApplication(issuer);
  return card(
    context,
    doneTitle,
    html`${cardHeading("shield", doneTitle)}
      <div class="sf-notice sf-notice-info" role="status" tabindex="-1" autofocus>
        ${icon("shield")}
        <p>${doneLead} ${end !== undefined && endText(context, end)}</p>
      </div>
      <a class="sf-button sf-button-quiet" href="${home}">${back}</a>`,
  );
}

/** In the place of a link that is good no more. */
export function recoveryOverPage(context: PageContext): PagePart {
  const { loginPath, messages } = context;
  const { overLead, overTitle } = messages.recovery;
  return card(
    context,
    overTitle,
    html`<div class="sf-mark sf-mark-warning">${icon("warning")}</div>
      <h1>${overTitle}</h1>
      <p class="sf-lead" role="alert">${overLead}</p>
      <a class="sf-button" href="${loginPath}">${messages.common.signInAgain}</a>`,
  );
}

/** A link that completes a recovery, in a browser in which nobody has signed in for it. */
export function recoverySignInPage(context: PageContext): PagePart {
  const { loginPath, messages } = context;
  const { signInLead, signInSubmit, signInTitle } = messages.recovery;
  return card(
    context,
    signInTitle,
    html`${cardHeading("lock", signInTitle)}
      <p class="sf-lead" role="alert">${signInLead}</p>
      <a class="sf-button" href="${loginPath}">${signInSubmit}</a>`,
  );
}

/** In the place of a link that completes a recovery, while changes are frozen. Whoever has lost every factor sees no settings. */
export function recoveryFrozenPage(context: PageContext, until: string): PagePart {
  const { messages } = context;
  const { frozenLead, frozenTitle } = messages.recovery;
  return card(
    context,
    frozenTitle,
    html`${cardHeading("lock", frozenTitle)}
      <p class="sf-lead" role="alert">${frozenLead} ${timeOf(messages, until, "zone")}.</p>`,
  );
}

/** At the foot of the challenge: the button that asks for one, folded away. */
export function recoveryOffer({ base, messages }: PageContext, { recovery }: ChallengeView): Html | undefined {
  if (recovery?.state !== "none") return undefined;
  const { offer } = messages.recovery;
  const { problem, takesOldCode = false } = recovery;
  if (!takesOldCode) {
    const button = postButton({ action: `${base}${RECOVERY_PATH}`, text: offer.submit, look: "quiet" });
    return confirmation(offer.open, offer.lead, button, "");
  }
  return html`<details class="sf-details" ${problem !== undefined && html`open`}>
    <summary>${offer.open}</summary>
    <div class="sf-confirm">
      <p>${offer.lead}</p>
      <form class="sf-form" method="post" action="${base}${RECOVERY_PATH}">
        ${oldCodeField(messages, problem)}
        <button type="submit" class="sf-button sf-button-quiet">${offer.submit}</button>
      </form>
    </div>
  </details>`;
}

function problemWith(messages: Messages, problem: PageProblem): string {
  const { unreadable, wrong } = messages.recovery.oldCode;
  return problem.code === "invalid-code" ? wrong : problemText(messages, problem, unreadable);
}

/** Above the challenge: why nothing was asked for. */
export function recoveryProblem({ messages }: PageContext, { recovery }: ChallengeView): Html | undefined {
  return recovery?.problem && alertBox(problemWith(messages, recovery.problem));
}

/** A code that is no factor any more. It may be left out. */
function oldCodeField(messages: Messages, problem: PageProblem | undefined): Html {
  const { hint, label } = messages.recovery.oldCode;
  const error =
    problem && html`<p class="sf-error" id="sf-old-code-error">${icon("warning")}${problemWith(messages, problem)}</p>`;
  return html`<div class="sf-field">
    <label for="sf-old-code">${label}</label>
    <p class="sf-hint" id="sf-old-code-hint">${hint}</p>
    ${error}
    <input
      class="sf-code sf-code-letters"
      id="sf-old-code"
      name="backupCode"
      type="text"
      autocomplete="off"
      autocapitalize="characters"
      spellcheck="false"
      aria-describedby="${problem === undefined ? "" : "sf-old-code-error "}sf-old-code-hint"
      ${problem !== undefined && isAboutCode(problem) && html`aria-invalid="true"`}
    />
  </div>`;
}

/** Below the challenge: where one that was asked for stands, and what ends it. */
export function recoveryNotice({ base, messages }: PageContext, { recovery }: ChallengeView): Html | undefined {
  if (recovery === undefined || recovery.state === "none") return undefined;
  const { again, askedAt: asked, states, stop } = messages.recovery;
  const { askedAt, state } = recovery;
  return html`<div class="sf-notice sf-notice-info sf-below">
    ${icon("lock")}
    <div class="sf-lines">
      <p role="status">${stateText(messages, recovery, states[state])}</p>
      ${askedAt !== undefined && html`<p>${asked} ${timeOf(messages, askedAt, "zone")}.</p>`}
      <p>${stop}</p>
    </div>
    ${state !== "waiting" && postButton({ action: `${base}${RECOVERY_PATH}`, text: again, look: "small" })}
  </div>`;
}

/** Where one stands; of one that waits when that is over, and how long it takes. */
function stateText(messages: Messages, recovery: ShownRecovery, text: string): Html {
  const { completesAt, minutesLeft = 0, state } = recovery;
  if (state !== "waiting" || completesAt === undefined) return html`${text}`;
  if (minutesLeft <= 0) return html`${messages.recovery.late}`;
  return html`${text} ${timeOf(messages, completesAt, "zone")}. ${messages.recovery.left(minutesLeft)}`;
}

/** In the settings: where a recovery stands, what ends it, and whether there is to be one at all. */
export function recoverySection(
  { base, messages }: PageContext,
  { recoveryMinutes, settings }: SettingsPageView,
): Html | undefined {
  const { recovery } = settings;
  if (recovery === undefined) return undefined;
  const shown = { ...recovery, ...(recoveryMinutes !== undefined && { minutesLeft: recoveryMinutes }) };
  const { section } = messages.recovery;
  const { optedOut, state } = recovery;
  const id = "sf-recovery";
  const action = `${base}${RECOVERY_PATH}/opt-out`;
  const cancel = postButton({ action: `${base}${recoveryPath("cancel")}`, text: section.cancel, look: "danger" });
  const refuse = postButton({ action, text: section.optOutSubmit, look: "danger", fields: { optedOut: "true" } });
  // What would only be refused is not offered.
  const optOut = settings.probation === undefined && confirmation(section.optOut, section.optOutLead, refuse);
  return html`<section class="sf-card" aria-labelledby="${id}">
    <h2 id="${id}">${section.title}</h2>
    <p class="sf-hint">${optedOut ? section.off : section.lead}</p>
    ${
      state !== "none" &&
      html`<p role="status">${stateText(messages, shown, section.states[state])}</p>
        <p>${section.stop}</p>
        ${cancel}`
    }
    ${optedOut ? postButton({ action, text: section.optIn, look: "small", fields: { optedOut: "false" } }) : optOut}
  </section>`;
}
