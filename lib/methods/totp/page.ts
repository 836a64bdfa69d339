import { codeChallenge } from "../../pages/code-page.js";
import { codeField, hiddenField, isAboutCode, nameField } from "../../pages/forms.js";
import { problemText } from "../../pages/fragments.js";
import { dangerouslyTrustedHtml, type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type {
  AddForm,
  ChallengeForm,
  EnrollmentForm,
  FactorRow,
  MethodPage,
  PagePart,
} from "../../pages/method-page.js";
import type { PageProblem } from "../../pages/views.js";
import { LONG_CODES } from "./state.js";
import { type TotpWords, totpWords } from "./words.js";

/** What authenticator apps show of themselves. */
export const totpPage: MethodPage<TotpWords> = {
  icon: "app",
  words: totpWords,
  challenge: (form) => codeChallenge({ ...form, words: { challenge: challengeWords(form) } }, "digits"),
  add: (form) => (form.place === "set-up" ? setUpPart(form) : settingsPart(form)),
  replace: ({ context, fields, type, words }) =>
    html`<form class="sf-form" method="post" action="${context.base}/${type}/enroll">
      <p>${words.settings.replaceLead}</p>
      ${fields}
      <button type="submit" class="sf-button">${words.settings.replaceSubmit}</button>
    </form>`,
  enrollment: (form) => (form.answer === undefined ? onceMore(form) : secretPart(form, form.answer)),
  row: (row) => ({
    hint: hasLongCodes(row.factor) ? row.words.settings.eightDigits : undefined,
    actions: resyncForm(row),
  }),
};

function hasLongCodes({ hint }: { readonly hint?: string }): boolean {
  return hint === LONG_CODES;
}

/** The words of the challenge, by how long the codes of the visitor's own authenticators are. */
function challengeWords({ choice, words }: ChallengeForm<TotpWords>): TotpWords["challenge"] {
  const { challenge, eightDigits, sixOrEightDigits } = words;
  if (!choice.factors.some(hasLongCodes)) return challenge;
  return { ...challenge, ...(choice.factors.every(hasLongCodes) ? eightDigits : sixOrEightDigits) };
}

function setUpPart({ context, isMain, password, type, words }: AddForm<TotpWords>): PagePart {
  const { setUp } = words;
  const action = `${context.base}/${type}/enroll`;
  const body = html`<ul>
      <li>${icon("app")}${setUp.needPhone}</li>
      <li>${icon("clock")}${setUp.needMinutes}</li>
    </ul>
    <form class="sf-form" method="post" action="${action}">
      ${password}
      <button type="submit" class="${isMain ? "sf-button" : "sf-button sf-button-quiet"}">${setUp.submit}</button>
    </form>`;
  return { title: isMain ? setUp.needTitle : words.name, body };
}

function settingsPart({ context, isFirst, name, password, type, words }: AddForm<TotpWords>): PagePart {
  const { addFirstTitle, addSubmit, addTitle } = words.settings;
  const body = html`<form class="sf-form" method="post" action="${context.base}/${type}/enroll">
    ${nameField(context, type, { name })} ${password}
    <button type="submit" class="sf-button">${addSubmit}</button>
  </form>`;
  return { title: isFirst ? addFirstTitle : addTitle, body };
}

/** The secret of a new authenticator, shown once, and the field for the first code it makes. */
function secretPart(form: EnrollmentForm<TotpWords>, answer: Readonly<Record<string, unknown>>): PagePart {
  const { enroll } = form.words;
  const body = html`<p class="sf-lead">${enroll.lead}</p>
    <ol class="sf-steps">
      <li>
        <h2>${enroll.appTitle}</h2>
        <p class="sf-hint">${enroll.appLead}</p>
      </li>
      <li>
        <h2>${enroll.scanTitle}</h2>
        ${scanStep(form, answer)}
      </li>
      <li>
        <h2>${enroll.codeTitle}</h2>
        ${confirmForm(form)}
      </li>
    </ol>`;
  return { title: enroll.title, body };
}

/** The code field alone: the secret was shown for a while, and is in the app by now. Whoever asks for it sees it again. */
function onceMore(form: EnrollmentForm<TotpWords>): PagePart & { readonly links: Html } {
  const { again, context, type, words } = form;
  const { confirmLead, confirmTitle, showAgain } = words.enroll;
  return {
    title: confirmTitle,
    body: html`<p class="sf-lead">${confirmLead}</p>
      ${confirmForm(form)}`,
    links: html`<form method="post" action="${context.base}/${type}/enroll">
      ${again} <button type="submit" class="sf-link">${showAgain}</button>
    </form>`,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function scanStep({ context, words }: EnrollmentForm<TotpWords>, answer: Readonly<Record<string, unknown>>): Html {
  const { enroll } = words;
  const { common } = context.messages;
  const [qr, secret, uri] = [textOf(answer.qr), textOf(answer.secret), textOf(answer.uri)];
  const link =
    uri.startsWith("otpauth:") && html`<a class="sf-button sf-button-quiet" href="${uri}">${enroll.openApp}</a>`;
  return html`<p class="sf-hint">${enroll.scanLead}</p>
    <div class="sf-qr" role="img" aria-label="${enroll.qrAlternative}">${dangerouslyTrustedHtml(qr)}</div>
    ${link}
    <div class="sf-secret">
      <h3>${enroll.secretTitle}</h3>
      <code translate="no">${grouped(secret)}</code>
      <p class="sf-hint">${enroll.secretLead}</p>
      <p class="sf-tools" hidden data-script>
        <button type="button" class="sf-button sf-button-small" data-copy="${secret}">${enroll.copySecret}</button>
        <span role="status" data-copied="${common.copied}" data-not-copied="${common.notCopied}"></span>
      </p>
    </div>`;
}

function confirmForm(form: EnrollmentForm<TotpWords>): Html {
  const { answer, context, factorId, others, problem, type, words } = form;
  const { enroll } = words;
  const field = codeField({
    label: enroll.codeLabel,
    hint: answer === undefined ? enroll.confirmAppLead : enroll.codeHint,
    error: problem && refusalText(form, problem),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind: "digits",
    // After a wrong code the field is what the page is about.
    isLast: answer !== undefined && problem === undefined,
  });
  return html`<form class="sf-form" method="post" action="${context.base}/${type}/enroll/confirm">
    ${hiddenField("factorId", factorId)} ${field} ${others}
    <button type="submit" class="sf-button">${enroll.submit}</button>
  </form>`;
}

/** A first code has never been used, so it is not the code of before; the clock, where it is known to be off, says more. */
function refusalText({ context, words }: EnrollmentForm<TotpWords>, problem: PageProblem): string {
  const isJustWrong = problem.code === "invalid-code" && !problem.clockOffMinutes;
  return isJustWrong ? words.enroll.codeRefused : problemText(context.messages, problem, words.challenge.unreadable);
}

/** Four by four, as people read and type it. */
function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}

function resyncForm({ context, factor, index, type, words: { settings: words } }: FactorRow<TotpWords>): Html {
  const field = (label: string, which: string) =>
    html`<div class="sf-field">
      <label for="sf-${which}-${index}">${label}</label>
      <input
        class="sf-code-small"
        id="sf-${which}-${index}"
        name="codes"
        type="text"
        inputmode="numeric"
        autocomplete="off"
        spellcheck="false"
        required
        data-digits
      />
    </div>`;
  return html`<details class="sf-details">
    <summary>${words.resync}</summary>
    <form class="sf-form" method="post" action="${context.base}/${type}/resync">
      <p>${words.resyncLead}</p>
      ${hiddenField("factorId", factor.id)}
      <div class="sf-pair">${field(words.resyncFirst, "first")} ${field(words.resyncSecond, "second")}</div>
      <button type="submit" class="sf-button sf-button-small">${words.resyncSubmit}</button>
    </form>
  </details>`;
}
