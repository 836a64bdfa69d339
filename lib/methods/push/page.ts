import { OF_SENDING } from "../../core/errors.js";
import { postButton } from "../../pages/forms.js";
import { problemText } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { ChallengeForm, FactorRow, MethodPage, SettingsPart } from "../../pages/method-page.js";
import { reasonText } from "../../pages/problem-reasons.js";
import { section } from "../../pages/settings-section.js";
import type { PageProblem } from "../../pages/views.js";
import type { PushChannel } from "./channel.js";
import { deviceIcon } from "./drawing.js";
import { enrollPart, replaceForm } from "./enroll-form.js";
import { APPROVE_PATH } from "./places.js";
import { REPORTED } from "./pauses.js";
import { NO_NOTIFICATIONS } from "./state.js";
import { type PushWords, pushWords } from "./words.js";
import { browserChannel } from "./worker.js";

/** What devices that approve show of themselves. */
export function pushPage(channels: readonly PushChannel[]): MethodPage<PushWords> {
  const channel = browserChannel(channels);
  return {
    icon: deviceIcon,
    words: pushWords,
    challenge: challengeForm,
    onlyInSettings: true,
    add: (form) => enrollPart(form, channel),
    replace: (form) => replaceForm(form, channel),
    row: (row) => ({ hint: rowHint(row), removeLead: row.words.settings.removeLead(row.factor.label) }),
    section: requestsSection,
    notice: reportedNotice,
  };
}

type Form = ChallengeForm<PushWords>;

/** Nothing is asked by loading the page: only this button asks, once. */
function challengeForm(form: Form): Html {
  const { choice, context, words } = form;
  const { hint, lead } = words.challenge;
  const paused = pausedText(form);
  const buttons = choice.factors.map((factor, index) => askButton(form, factor, index === 0));
  return html`${paused === undefined ? problemOf(form) : warning(paused)}
  ${
    paused === undefined &&
    html`<p class="sf-lead">${lead(context.issuer)}</p>
      ${buttons}
      <p class="sf-hint">${hint}</p>`
  }`;
}

/** Why nothing can be asked now, and that a form would not change that; undefined where something can. */
export function pausedText({ choice, words }: Form): string | undefined {
  if (choice.paused === REPORTED) return words.problems[REPORTED];
  return choice.paused === undefined ? undefined : restingText(words, choice.retryAfter);
}

function restingText({ challenge }: PushWords, seconds = 60): string {
  return challenge.resting(Math.max(1, Math.ceil(seconds / 60)));
}

export function warning(text: string): Html {
  return html`<div class="sf-notice sf-notice-warning" role="alert" tabindex="-1" autofocus>
    ${icon("warning")}
    <p>${text}</p>
  </div>`;
}

/** What kept a request from being sent, in a device's own words. */
export function problemOf({ context, problem, words }: Form): Html | undefined {
  return problem && warning(refusalText(words, problem) ?? problemText(context.messages, problem));
}

function refusalText(words: PushWords, { code, reason, retryAfter }: PageProblem): string | undefined {
  if (code === "too-many-attempts" && reason === OF_SENDING) return restingText(words, retryAfter);
  return reasonText([words], reason);
}

/** Its script says instead that this very browser is the device. */
function askButton(
  { context, fields, type, words }: Form,
  factor: Form["choice"]["factors"][number],
  isMain: boolean,
): Html {
  const { isHere, send } = words.challenge;
  const button = postButton({
    action: `${context.base}/${type}/send`,
    text: send(factor.label),
    look: isMain ? "main" : "quiet",
    fields: { factorId: factor.id, ...fields },
  });
  return html`<div data-push-factor="${factor.id}" data-base="${context.base}">
    <div data-elsewhere>${button}</div>
    <p class="sf-hint" hidden data-here>${isHere(factor.label)}</p>
  </div>`;
}

function rowHint({ factor, words: { settings } }: FactorRow<PushWords>): string {
  const { hint = NO_NOTIFICATIONS } = factor;
  return hint === NO_NOTIFICATIONS ? settings.noNotifications : settings.reached(hint);
}

/** Where a device that gets no notification sees what it is asked, and which of them this browser is. */
function requestsSection({ context, settings, type, words }: SettingsPart<PushWords>): Html | undefined {
  const devices = settings.factors.filter((factor) => factor.type === type);
  if (devices.length === 0) return undefined;
  const { open, openLead, openTitle, thisDevice } = words.settings;
  const lines = devices.map(
    ({ id, label }) =>
      html`<p hidden data-here data-push-factor="${id}" data-base="${context.base}">${thisDevice(label)}</p>`,
  );
  const link = html`<p><a class="sf-button sf-button-small" href="${context.base}${APPROVE_PATH}">${open}</a></p>`;
  return section(type, openTitle, openLead, html`${lines} ${link}`);
}

function reportedNotice({ members, words }: SettingsPart<PushWords>): Html | undefined {
  const { paused } = (members.push ?? {}) as { readonly paused?: string };
  if (paused !== REPORTED) return undefined;
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("warning")}
    <p>${words.settings.reported}</p>
  </div>`;
}
