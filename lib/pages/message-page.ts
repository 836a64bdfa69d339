import type { Contact } from "../core/contact.js";
import { MINUTE } from "../core/nouns.js";
import type { FactorChoice } from "../engine/choices.js";
import { codeChallenge, type CodeChallengeWords, type CodeWords } from "./code-page.js";
import { codeField, hiddenField, isAboutCode, isAboutSending, nameField, postButton } from "./forms.js";
import { problemText, timeOf } from "./fragments.js";
import { type Html, html, type HtmlValue } from "./html.js";
import type { Icon } from "./icons.js";
import type { Messages } from "./messages.js";
import type {
  AddForm,
  ChallengeForm,
  EnrollmentForm,
  FactorRow,
  MethodPage,
  PagePart,
  ReplaceForm,
} from "./method-page.js";
import type { PageProblem } from "./views.js";

/** The words of a method whose codes are sent. */
export interface MessageWords extends CodeWords {
  readonly challenge: CodeChallengeWords & {
    /** Before anything was sent. */
    readonly lead: (issuer: string) => string;
    /** The button that sends a code to `target`, the factor's hint or its name. */
    readonly send: (target: string) => string;
    readonly sendAgain: (target: string) => string;
    readonly sent: (target: string) => string;
    /** A time follows, until when the code works. */
    readonly until: string;
    /** A time follows, from when on another can be asked for. */
    readonly again: string;
  };
  readonly enroll: NonNullable<CodeWords["enroll"]> & {
    /** Of the field for the address or number, and below it. */
    readonly destination: string;
    readonly destinationHint: string;
    /** Where the application knows one: it is taken where the field is left empty. `target`: masked. */
    readonly known: (target: string) => string;
    /** What whoever sets it up should know before. */
    readonly warning?: string;
    readonly sendAgain: string;
  };
  readonly settings: {
    readonly change: string;
    readonly changeLead: string;
    readonly changeSubmit: string;
  };
}

export interface MessagePageOptions<Words extends MessageWords> {
  readonly icon: Icon;
  readonly words: Words;
  /** The field that takes the address or number. */
  readonly field: { readonly name: string; readonly type: "email" | "tel" };
  /** What the application knows, masked; undefined where that is nothing that codes could be sent to. */
  known(contact: Contact): string | undefined;
  /** What stands above the form that begins an enrollment. Default: `enroll.warning`. */
  readonly notice?: (form: AddForm<Words>) => HtmlValue;
}

type Field = Pick<MessagePageOptions<MessageWords>, "field" | "known">;

function targetOf({ hint, label }: FactorChoice): string {
  return hint ?? label;
}

/** Times are shown by the minute: at the one that is read, asking is not too soon. */
function nextMinute(iso: string): string {
  return new Date(Math.ceil(Date.parse(iso) / MINUTE) * MINUTE).toISOString();
}

/** Until when the code works, and when another can be asked for: both as times, so that no script is needed to know. */
function timesOf(
  messages: Messages,
  { again, until }: MessageWords["challenge"],
  { expiresAt, resendAt }: { readonly expiresAt?: unknown; readonly resendAt?: unknown },
): HtmlValue {
  const line = (words: string, iso: unknown): HtmlValue =>
    typeof iso === "string" && html`<p class="sf-hint">${words} ${timeOf(messages, iso)}.</p>`;
  return [line(until, expiresAt), line(again, typeof resendAt === "string" && nextMinute(resendAt))];
}

/** The button that sends to one factor. Nothing is sent by loading the page. */
function sendButton(form: ChallengeForm<MessageWords>, factor: FactorChoice, isMain: boolean): Html {
  const { context, fields, type, words } = form;
  const { challenge } = words;
  const target = targetOf(factor);
  return postButton({
    action: `${context.base}/${type}/send`,
    text: factor.sent === undefined ? challenge.send(target) : challenge.sendAgain(target),
    look: isMain ? "main" : "quiet",
    fields: { factorId: factor.id, ...fields },
  });
}

/** What was sent to one factor; nothing where nothing was. */
function sentTo({ context, words }: ChallengeForm<MessageWords>, factor: FactorChoice): HtmlValue {
  const { challenge } = words;
  if (factor.sent === undefined) return undefined;
  return html`<div role="status">
    <p class="sf-lead">${challenge.sent(targetOf(factor))}</p>
    ${timesOf(context.messages, challenge, factor.sent)}
  </div>`;
}

function alert(messages: Messages, problem: PageProblem | undefined): Html | undefined {
  return problem && html`<p class="sf-error" role="alert">${problemText(messages, problem)}</p>`;
}

/** That no message was sent is nothing that is wrong with a code. */
function partsOf(problem: PageProblem | undefined): Record<"problem" | "unsent", PageProblem | undefined> {
  const isUnsent = problem !== undefined && isAboutSending(problem);
  return isUnsent ? { unsent: problem, problem: undefined } : { unsent: undefined, problem };
}

/**
 * The code is asked for once one was sent, and first of all; before, where it shall go. That another could not be sent is said above
 * the field, which has nothing wrong with it.
 */
function challenge<Words extends MessageWords>(form: ChallengeForm<Words>): Html {
  const { choice, context, problem, words } = form;
  const sent = choice.factors.filter((factor) => factor.sent !== undefined);
  const others = choice.factors.filter((factor) => factor.sent === undefined);
  if (sent.length === 0) {
    const isAsked = problem !== undefined && isAboutCode(problem);
    const error = isAsked ? undefined : alert(context.messages, problem);
    return html`<p class="sf-lead">${words.challenge.lead(context.issuer)}</p>
      ${error} ${others.map((factor, index) => sendButton(form, factor, index === 0 && !isAsked))}
      ${isAsked && codeChallenge(form, "digits")}`;
  }
  const { unsent, ...wrong } = partsOf(problem);
  return html`${alert(context.messages, unsent)} ${sent.map((factor) => sentTo(form, factor))}
  ${codeChallenge({ ...form, ...wrong }, "digits")}
  ${[...sent, ...others].map((factor) => sendButton(form, factor, false))}`;
}

function destinationField<Words extends MessageWords>(
  { context, type, words: { enroll } }: Pick<AddForm<Words>, "context" | "type" | "words">,
  { field, known }: Field,
  place: string,
): Html {
  const id = `sf-${type}-${place}-${field.name}`;
  const masked = known(context.contact);
  const hint = masked === undefined ? enroll.destinationHint : enroll.known(masked);
  return html`<div class="sf-field">
    <label for="${id}">${enroll.destination}</label>
    <p class="sf-hint" id="${id}-hint">${hint}</p>
    <input
      id="${id}"
      name="${field.name}"
      type="${field.type}"
      autocomplete="${field.type}"
      ${masked === undefined && html`required`}
      aria-describedby="${id}-hint"
    />
  </div>`;
}

function add<Words extends MessageWords>(form: AddForm<Words>, options: MessagePageOptions<Words>): PagePart {
  const { context, isMain, name, password, place, type, words } = form;
  const { enroll } = words;
  const notice = options.notice?.(form) ?? (enroll.warning !== undefined && html`<p>${enroll.warning}</p>`);
  const body = html`<form class="sf-form" method="post" action="${context.base}/${type}/enroll">
    ${notice}
    <p class="sf-hint">${enroll.lead}</p>
    ${destinationField(form, options, place)} ${place === "settings" && nameField(context, type, { name })} ${password}
    <button type="submit" class="${isMain ? "sf-button" : "sf-button sf-button-quiet"}">${enroll.submit}</button>
  </form>`;
  return { title: enroll.title, body };
}

function enrollment<Words extends MessageWords>(form: EnrollmentForm<Words>): PagePart {
  const { answer = {}, context, factorId, others, type, words } = form;
  const { problem, unsent } = partsOf(form.problem);
  const { challenge: asking, enroll } = words;
  const { hint } = answer;
  const field = codeField({
    label: enroll.codeLabel,
    hint: enroll.codeHint,
    error: problem && problemText(context.messages, problem, asking.unreadable),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind: "digits",
  });
  const action = `${context.base}/${type}`;
  const body = html`${alert(context.messages, unsent)}
    <div role="status">
      <p class="sf-lead">${typeof hint === "string" ? asking.sent(hint) : enroll.codeLead}</p>
      ${timesOf(context.messages, asking, answer)}
    </div>
    <form class="sf-form" method="post" action="${action}/enroll/confirm">
      ${hiddenField("factorId", factorId)} ${field} ${others}
      <button type="submit" class="sf-button">${enroll.codeSubmit}</button>
    </form>
    ${postButton({ action: `${action}/send`, text: enroll.sendAgain, look: "quiet", fields: { factorId } })}`;
  return { title: enroll.codeTitle, body };
}

/** Another address or number in the place of this one, which goes on working until the other one is proved. */
function changeForm<Words extends MessageWords>(form: ReplaceForm<Words>, options: MessagePageOptions<Words>): Html {
  const { context, fields, index, type, words } = form;
  const { changeLead, changeSubmit } = words.settings;
  return html`<form class="sf-form" method="post" action="${context.base}/${type}/enroll">
    <p>${changeLead}</p>
    ${fields} ${destinationField(form, { ...options, known: () => undefined }, `change-${index}`)}
    <button type="submit" class="sf-button sf-button-small">${changeSubmit}</button>
  </form>`;
}

function change<Words extends MessageWords>(row: FactorRow<Words>, options: MessagePageOptions<Words>): Html {
  return html`<details class="sf-details" ${row.isRefused && html`open`}>
    <summary>${row.words.settings.change}</summary>
    ${changeForm({ ...row, fields: hiddenField("replaces", row.factor.id) }, options)}
  </details>`;
}

/** The page of a method whose codes are sent: where they go is shown masked alone, and a code is sent when somebody asks for one. */
export function messagePage<Words extends MessageWords>(options: MessagePageOptions<Words>): MethodPage<Words> {
  const { icon, words } = options;
  return {
    icon,
    words,
    challenge: (form) => challenge(form),
    add: (form) => add(form, options),
    enrollment: (form) => enrollment(form),
    replace: (form) => changeForm(form, options),
    row: (row) => ({ actions: row.isKept ? undefined : change(row, options) }),
  };
}
