import { postButton } from "./forms.js";
import { card, cardHeading, confirmation, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import type { Messages } from "./messages.js";
import type { PagePart } from "./method-page.js";
import type { ChallengeView, PageContext, SettingsPageView, ShownRecovery } from "./views.js";

/** What a link in a mail of a recovery is for. */
export type RecoveryPurposeView = "confirm" | "cancel" | "complete";

/** What pressing the button does, and the button. Nothing of whose account it is: the link may have been passed on. */
export function recoveryPage(context: PageContext, purpose: RecoveryPurposeView, token: string): PagePart {
  const { base, messages } = context;
  const { recovery } = messages;
  const { lead, submit, title } = recovery[purpose];
  const look = purpose === "cancel" ? "danger" : "main";
  return card(
    context,
    title,
    html`${cardHeading("shield", title)}
      <p class="sf-lead">${lead}</p>
      ${postButton({ action: `${base}/recovery/${purpose}`, text: submit, look, fields: { token } })}
      <p class="sf-hint">${recovery.opened}</p>`,
  );
}

/** What was done. `completesAt`: when the wait that has begun is over. */
export function recoveryDonePage(context: PageContext, purpose: RecoveryPurposeView, completesAt?: string): PagePart {
  const { messages } = context;
  const { doneLead, doneTitle } = messages.recovery[purpose];
  return card(
    context,
    doneTitle,
    html`${cardHeading("shield", doneTitle)}
      <p class="sf-lead" role="status">
        ${doneLead} ${completesAt !== undefined && html`${timeOf(messages, completesAt, "zone")}.`}
      </p>`,
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
  const { signInLead, signInTitle } = messages.recovery;
  return card(
    context,
    signInTitle,
    html`${cardHeading("lock", signInTitle)}
      <p class="sf-lead" role="alert">${signInLead}</p>
      <a class="sf-button" href="${loginPath}">${messages.common.signInAgain}</a>`,
  );
}

/** At the foot of the challenge: the button that asks for one, folded away. */
export function recoveryOffer({ base, messages }: PageContext, { recovery }: ChallengeView): Html | undefined {
  if (recovery?.state !== "none") return undefined;
  const { offer } = messages.recovery;
  const button = postButton({ action: `${base}/recovery`, text: offer.submit, look: "quiet" });
  return confirmation(offer.open, offer.lead, button, "");
}

/** Below the challenge: where one that was asked for stands, and what ends it. */
export function recoveryNotice({ base, messages }: PageContext, { recovery }: ChallengeView): Html | undefined {
  if (recovery === undefined || recovery.state === "none") return undefined;
  const { again, states, stop } = messages.recovery;
  const { state } = recovery;
  return html`<div class="sf-notice sf-notice-info sf-below">
    ${icon("lock")}
    <div class="sf-lines">
      <p role="status">${states[state]} ${whenReady(messages, recovery)}</p>
      <p>${stop}</p>
    </div>
    ${state !== "waiting" && postButton({ action: `${base}/recovery`, text: again, look: "small" })}
  </div>`;
}

/** When the wait is over, and how long that is; nothing where nothing is waited for. */
function whenReady(messages: Messages, { completesAt, minutesLeft, state }: ShownRecovery): Html | undefined {
  if (state !== "waiting" || completesAt === undefined) return undefined;
  const left = minutesLeft === undefined ? "" : messages.recovery.left(minutesLeft);
  return html`${timeOf(messages, completesAt, "zone")}. ${left}`;
}

/** On the page that sets up a factor: it is the last step of a recovery. */
export function recoveringNotice({ messages }: PageContext, until: string | undefined): Html | undefined {
  if (until === undefined) return undefined;
  return html`<div class="sf-notice sf-notice-info">
    ${icon("lock")}
    <p>${messages.recovery.setUp} ${timeOf(messages, until, "zone")}.</p>
  </div>`;
}

/** In the settings: where a recovery stands, what ends it, and whether there is to be one at all. */
export function recoverySection({ base, messages }: PageContext, { settings }: SettingsPageView): Html | undefined {
  const { recovery } = settings;
  if (recovery === undefined) return undefined;
  const { section, states } = messages.recovery;
  const { optedOut, state } = recovery;
  const id = "sf-recovery";
  const action = `${base}/recovery/opt-out`;
  const cancel = postButton({ action: `${base}/recovery/cancel`, text: section.cancel, look: "danger" });
  return html`<section class="sf-card" aria-labelledby="${id}">
    <h2 id="${id}">${section.title}</h2>
    <p class="sf-hint">${optedOut ? section.off : section.lead}</p>
    ${
      state !== "none" &&
      html`<p role="status">${states[state]} ${whenReady(messages, recovery)}</p>
        ${cancel}`
    }
    ${
      optedOut
        ? postButton({ action, text: section.optIn, look: "small", fields: { optedOut: "false" } })
        : confirmation(
            section.optOut,
            section.optOutLead,
            postButton({ action, text: section.optOutSubmit, look: "danger", fields: { optedOut: "true" } }),
          )
    }
  </section>`;
}

/** Until when the account is on probation. */
export function probationNotice(
  { messages }: PageContext,
  { probation }: Pick<SettingsPageView["settings"], "probation">,
): Html | undefined {
  if (probation === undefined) return undefined;
  return html`<div class="sf-notice sf-notice-info">
    ${icon("lock")}
    <p>${messages.recovery.probation} ${timeOf(messages, probation.until, "zone")}.</p>
  </div>`;
}
