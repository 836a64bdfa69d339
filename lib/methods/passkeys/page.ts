import type { FactorView } from "../../engine/views.js";
import { nameField } from "../../pages/forms.js";
import { alertBox, brand, cardHeading, labelsOf, problemText } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import type {
  AddForm,
  ChallengeForm,
  MethodPage,
  OwnPage,
  PagePart,
  ReplaceForm,
  SettingsPart,
} from "../../pages/method-page.js";
import { newPhoneProof } from "../../pages/new-phone-way.js";
import { type PasskeyForm, passkeyForm } from "./form.js";
import { UNVERIFIED } from "./obstacles.js";
import { type PasskeysWords, passkeysWords } from "./words.js";

/** What passkeys show of themselves. */
export const passkeysPage: MethodPage<PasskeysWords> = {
  icon: "passkey",
  words: passkeysWords,
  challenge: challengeForm,
  add: (form) => (form.place === "set-up" ? setUpPart(form) : settingsPart(form)),
  replace: replacePart,
  row: ({ factor, words: { settings } }) => ({
    hint: rowHint(factor, settings),
    removeLead: settings.removeLead(factor.label),
  }),
  unusable({ factors, words: { unusable } }) {
    const elsewhere = factors.filter(({ reason }) => reason !== UNVERIFIED);
    const unverified = factors.filter(({ reason }) => reason === UNVERIFIED);
    return [
      ...(elsewhere.length > 0 ? [unusable.elsewhere(namesOf(elsewhere), unverified.length === 0)] : []),
      ...(unverified.length > 0 ? [unusable.unverified(namesOf(unverified), elsewhere.length === 0)] : []),
    ].join(" ");
  },
  section: forPasswordManagers,
};

function namesOf(factors: readonly { readonly label: string }[]): string[] {
  return factors.map(({ label }) => label);
}

function rowHint({ hint, unusable }: FactorView, words: PasskeysWords["settings"]): string {
  if (unusable !== undefined) return unusable === UNVERIFIED ? words.unverified : words.elsewhere;
  return hint === "synced" ? words.synced : words.deviceBound;
}

function challengeForm(asking: ChallengeForm<PasskeysWords>): Html {
  const { choice, context, fields, problem, trust, type, words } = asking;
  const { button, cancelled, hint } = words.challenge;
  const form = passkeyForm(asking, {
    ceremony: "get",
    action: `${context.base}/${type}`,
    fields: trust,
    button,
    cancelled,
    // What is confirmed is to be read before the button.
    isFirst: problem === undefined && fields.operation === undefined,
  });
  return html`${problem && alertBox(problemText(context.messages, problem))}
    <p class="sf-lead">${hint(context.issuer, labelsOf(choice))}</p>
    ${form}`;
}

function setUpPart(adding: AddForm<PasskeysWords>): PagePart {
  const { context, password, type, words } = adding;
  const { lead, submit, title } = words.setUp;
  const { alreadyHere, cancelled, passwordRefused } = words.settings;
  const form = passkeyForm(adding, {
    ceremony: "create",
    action: `${context.base}/${type}/enroll`,
    fields: html`${password} ${adding.others}`,
    button: submit,
    cancelled,
    alreadyHere,
    ...againBy(context.base, password, passwordRefused),
  });
  return {
    title,
    body: html`<p class="sf-hint">${lead}</p>
      ${form}`,
  };
}

/** What a login has to show first that was fresh when the page was loaded: the page it is told on, or a password that is right. */
function againBy(
  page: string,
  password: Html | undefined,
  refused: string,
): Pick<PasskeyForm, "passwordRefused" | "stepUp"> {
  return password === undefined ? { stepUp: page } : { passwordRefused: refused };
}

function settingsPart(adding: AddForm<PasskeysWords>): PagePart {
  const { context, isFirst, others, password, type, words } = adding;
  const { addLead, addSubmit, addTitle, alreadyHere, cancelled, passwordRefused } = words.settings;
  const form = passkeyForm(adding, {
    ceremony: "create",
    action: `${context.base}/${type}/enroll`,
    fields: html`${nameField(context, type, { name: adding.name, words: words.settings })} ${password} ${others}`,
    button: addSubmit,
    cancelled,
    alreadyHere,
    ...againBy(isFirst ? `${context.base}/settings` : `${context.base}?confirm=settings`, password, passwordRefused),
  });
  const body = html`<div class="sf-form">
    <p class="sf-hint">${addLead}</p>
    ${form}
  </div>`;
  return { title: addTitle, body };
}

function replacePart(replacing: ReplaceForm<PasskeysWords>): Html {
  const { context, fields, type, words } = replacing;
  const { alreadyHere, cancelled, replaceLead, replaceSubmit } = words.settings;
  const form = passkeyForm(replacing, {
    ceremony: "create",
    action: `${context.base}/${type}/enroll`,
    fields,
    button: replaceSubmit,
    cancelled,
    alreadyHere,
    stepUp: newPhoneProof(context),
  });
  return html`<p>${replaceLead}</p>
    ${form}`;
}

/** What password managers may be told of an owner's passkeys. Nothing in it is secret. */
export interface KnownPasskeys {
  readonly rpId: string;
  /** The user handle, base64url. */
  readonly userId: string;
  /** All that are in force, base64url. */
  readonly credentialIds: readonly string[];
}

/** What the script tells the password managers of this browser: which passkeys are in force, and under what name. */
function forPasswordManagers({ accountName, members }: SettingsPart<PasskeysWords>): Html | undefined {
  const known = members.passkeys as KnownPasskeys | undefined;
  if (known === undefined) return undefined;
  return html`<div
    hidden
    data-rp-id="${known.rpId}"
    data-user-id="${known.userId}"
    data-user-name="${accountName}"
    data-credential-ids="${known.credentialIds.join(" ")}"
  ></div>`;
}

/** Offers a passkey to somebody who has just signed in with a code. Whatever they answer, they go on to where they were going. */
export function passkeyOffer({ accountName, context, problem }: OwnPage): PagePart {
  const { base, messages } = context;
  const words = messages.methods.passkey ?? passkeysWords;
  const { add, later, lead, never, title } = words.offer;
  const action = `${base}/passkey/offer`;
  const form = passkeyForm(
    { context, type: "passkey", words },
    {
      ceremony: "create",
      action,
      button: add,
      cancelled: words.settings.cancelled,
      alreadyHere: words.settings.alreadyHere,
      stepUp: `${base}?confirm`,
      // Once: what was refused would be made, sent and refused again without end.
      triesSilently: problem === undefined,
    },
  );
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("passkey", title)}
      <p class="sf-account">${messages.challenge.signedInAs} <strong>${accountName}</strong></p>
      ${problem && alertBox(problemText(messages, problem))}
      <p class="sf-lead">${lead}</p>
      ${form}
      <form class="sf-form sf-answers" method="post" action="${action}/decline">
        <button type="submit" class="sf-button sf-button-quiet" data-later>${later}</button>
        <button type="submit" class="sf-link" name="forever" value="true">${never}</button>
      </form>
    </section>
  </div>`;
  return { title: problem === undefined ? title : messages.common.titleWithProblem(title), body };
}
