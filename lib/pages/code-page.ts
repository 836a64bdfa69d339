import { codeField, hiddenField, isAboutCode, nameField, postButton } from "./forms.js";
import { labelsOf, problemText } from "./fragments.js";
import { type Html, html, type HtmlValue } from "./html.js";
import type { Icon } from "./icons.js";
import type { MethodWords } from "./messages.js";
import type { AddForm, ChallengeForm, EnrollmentForm, MethodPage, PagePart } from "./method-page.js";

// A type and not an interface: it must fit where words of any name may stand.
/** How a code is asked for. */
export type CodeChallengeWords = {
  readonly title: string;
  /** The link that leads here from another method. */
  readonly choose: string;
  /** Of the field. */
  readonly label: string;
  /** `labels`: what the visitor calls their own factors of this kind. */
  readonly hint: (issuer: string, labels: readonly string[]) => string;
  /** What was sent cannot be a code of this kind. */
  readonly unreadable: string;
};

/** The words of a method that asks for a code, and no more. */
export interface CodeWords extends MethodWords {
  readonly challenge: CodeChallengeWords & {
    /** Where a code is sent: the button that sends one to `target`, the factor's hint or its name. Default: no button. */
    readonly send?: (target: string) => string;
  };
  /** How a factor is set up. Default: not on the pages. */
  readonly enroll?: {
    readonly title: string;
    readonly lead: string;
    readonly submit: string;
    readonly codeTitle: string;
    readonly codeLead: string;
    readonly codeLabel: string;
    readonly codeHint: string;
    readonly codeSubmit: string;
  };
}

export interface CodePageOptions<Words extends CodeWords = CodeWords> {
  readonly icon: Icon;
  readonly words: Words;
  /** Digits alone, or letters and digits. */
  readonly kind: "digits" | "letters";
  /** Further fields of the form that begins an enrollment, such as one for an address. Default: none. */
  readonly fields?: (form: AddForm<Words>) => HtmlValue;
}

type Kind = CodePageOptions["kind"];

/** A form that asks for a code and sends it to the method's own path. */
export function codeChallenge<Words extends { readonly challenge: CodeChallengeWords }>(
  { choice, context, fields, problem, trust, type, words: { challenge } }: ChallengeForm<Words>,
  kind: Kind,
): Html {
  const { base, messages } = context;
  const field = codeField({
    label: challenge.label,
    hint: challenge.hint(context.issuer, labelsOf(choice)),
    error: problem && problemText(messages, problem, challenge.unreadable),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind,
    isLast: fields.operation !== undefined,
  });
  return html`<form class="sf-form" method="post" action="${base}/${type}">
    ${field} ${trust}
    <button type="submit" class="sf-button">${messages.common.continue}</button>
  </form>`;
}

function sendButtons({ choice, context, fields, type, words }: ChallengeForm<CodeWords>): Html[] {
  const { send } = words.challenge;
  if (send === undefined) return [];
  const action = `${context.base}/${type}/send`;
  return choice.factors.map(({ hint, id, label }) =>
    postButton({ action, text: send(hint ?? label), look: "quiet", fields: { factorId: id, ...fields } }),
  );
}

function addPart<Words extends CodeWords>(
  form: AddForm<Words>,
  words: NonNullable<CodeWords["enroll"]>,
  fields: CodePageOptions<Words>["fields"],
): PagePart {
  const { context, isMain, name, password, place, type } = form;
  const body = html`<form class="sf-form" method="post" action="${context.base}/${type}/enroll">
    <p class="sf-hint">${words.lead}</p>
    ${fields?.(form)} ${place === "settings" && nameField(context, type, name)} ${password}
    <button type="submit" class="${isMain ? "sf-button" : "sf-button sf-button-quiet"}">${words.submit}</button>
  </form>`;
  return { title: words.title, body };
}

function enrollmentPart<Words extends CodeWords>(
  { context, factorId, others, problem, type, words: { challenge } }: EnrollmentForm<Words>,
  words: NonNullable<CodeWords["enroll"]>,
  kind: Kind,
): PagePart {
  const field = codeField({
    label: words.codeLabel,
    hint: words.codeHint,
    error: problem && problemText(context.messages, problem, challenge.unreadable),
    isInvalid: problem !== undefined && isAboutCode(problem),
    kind,
  });
  const body = html`<p class="sf-lead">${words.codeLead}</p>
    <form class="sf-form" method="post" action="${context.base}/${type}/enroll/confirm">
      ${hiddenField("factorId", factorId)} ${field} ${others}
      <button type="submit" class="sf-button">${words.codeSubmit}</button>
    </form>`;
  return { title: words.codeTitle, body };
}

/**
 * The page of a method whose proof is a code: a form that asks for it, with buttons that send one where `words.challenge.send` says
 * so, and where there is `words.enroll` the forms that set a factor up.
 *
 * Does NOT show what an enrollment answers, such as a secret or a drawing: give the page an `enrollment` of your own beside it.
 *
 * @example
 * ```ts
 * import { codePage } from "express-second-factor";
 *
 * const page = codePage({
 *   icon: "key",
 *   kind: "digits",
 *   words: {
 *     name: "Code from a key fob",
 *     challenge: {
 *       title: "Enter the code of your key fob",
 *       choose: "Use your key fob",
 *       label: "8-digit code",
 *       hint: (issuer) => `Press the button of the fob that ${issuer} gave you.`,
 *       unreadable: "Enter the 8 digits that the fob shows.",
 *     },
 *   },
 * });
 * ```
 */
export function codePage<Words extends CodeWords>({
  fields,
  icon,
  kind,
  words,
}: CodePageOptions<Words>): MethodPage<Words> {
  const page: MethodPage<Words> = {
    icon,
    words,
    challenge: (form) => html`${sendButtons(form)} ${codeChallenge(form, kind)}`,
  };
  if (words.enroll === undefined) return page;
  const { enroll } = words;
  return {
    ...page,
    add: (form) => addPart(form, form.words.enroll ?? enroll, fields),
    enrollment: (form) => enrollmentPart(form, form.words.enroll ?? enroll, kind),
  };
}
