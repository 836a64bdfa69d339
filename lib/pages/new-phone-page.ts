import { BACKUP_CODE } from "../core/nouns.js";
import type { NewPhoneFactor } from "../engine/new-phone.js";
import { doneNotice } from "./done-notice.js";
import { hiddenField } from "./forms.js";
import { alertBox, brand, cardHeading, confirmation, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import { drawnBy } from "./method-page.js";
import { fromNewPhone, newPhoneProof, newPhoneWay } from "./new-phone-way.js";
import { reasonedText } from "./problem-reasons.js";
import { row } from "./settings-section.js";
import { frozenNotice, probationNotice } from "./until-notices.js";
import type { LayoutParts, NewPhonePageView, PageContext } from "./views.js";

/** With this many backup codes left, or fewer, it is time for new ones. */
const FEW_CODES = 2;

/** Leads from an old phone to a new one: what is next, and nothing else. */
export function newPhonePage(context: PageContext, view: NewPhonePageView): LayoutParts {
  const { base, messages } = context;
  const { common, newPhone: words } = messages;
  const { problem, step } = view;
  const body = html`<div class="sf-medium">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("app", words.title)}
      <p class="sf-account">${messages.settings.account} <strong>${view.accountName}</strong></p>
      ${newPhoneWay(context, step)} ${doneNotice(context, view.done)}
      ${problem && alertBox(reasonedText(context, problem))} ${frozenNotice(context, view.frozenUntil)}
      ${probationNotice(context, view)}
      <h2>${words.steps[step]}</h2>
      ${CONTENTS[step](context, view)} ${codesNotice(context, view)}
    </section>
    ${step !== "remove" && html`<footer class="sf-foot"><a href="${base}/settings">${common.toSettings}</a></footer>`}
  </div>`;
  return renderPage(context, problem === undefined ? words.title : common.titleWithProblem(words.title), body);
}

const CONTENTS: Readonly<Record<NewPhonePageView["step"], (context: PageContext, view: NewPhonePageView) => Html>> = {
  prove,
  "set-up": setUp,
  remove,
};

function prove(context: PageContext, { isStuck, mayAdd }: NewPhonePageView): Html {
  const { base, messages } = context;
  const { addOnly, proveLead, proveSubmit, steps } = messages.newPhone;
  if (mayAdd)
    return html`<p class="sf-lead">${addOnly}</p>
      <a class="sf-button" href="${base}/settings#sf-add">${steps["set-up"]}</a>`;
  if (isStuck === true) return html`<p class="sf-lead">${messages.challenge.stuckLead}</p>`;
  return html`<p class="sf-lead">${proveLead}</p>
    <a class="sf-button" href="${newPhoneProof(context)}">${proveSubmit}</a>`;
}

/** What would only be refused is not offered. */
function mayReplace({ frozenUntil, probation }: NewPhonePageView): boolean {
  return frozenUntil === undefined && probation === undefined;
}

function setUp(context: PageContext, view: NewPhonePageView): Html {
  const { setUpLead, somethingElse } = context.messages.newPhone;
  if (!mayReplace(view)) return rows(context, view, view.factors);
  return html`<p class="sf-lead">${setUpLead}</p>
    ${rows(context, view, view.factors)}
    <p><a href="${context.base}/settings#sf-add">${somethingElse}</a></p>`;
}

function remove(context: PageContext, view: NewPhonePageView): Html {
  const { base, issuer, messages } = context;
  const { finish, finished, oldPhone, removeLead } = messages.newPhone;
  const old = view.factors.filter(({ isNew }) => isNew !== true);
  const others = view.factors.filter(({ isNew }) => isNew === true);
  const left = html`<p class="sf-lead">${removeLead}</p>
    ${rows(context, view, old)}`;
  return html`${rows(context, view, others)} ${old.length === 0 ? html`<p class="sf-lead">${finished}</p>` : left}
    <p>${oldPhone(issuer)}</p>
    <a class="${old.length === 0 ? "sf-button" : "sf-button sf-button-quiet"}" href="${base}/settings">${finish}</a>`;
}

function rows(context: PageContext, view: NewPhonePageView, factors: readonly NewPhoneFactor[]): Html {
  const parts = factors.map((factor, index) => partOf(context, factor, index));
  const isOne = parts.filter((part) => part !== undefined).length === 1;
  return html`<ul class="sf-rows">
    ${factors.map((factor, index) => factorRow(context, view, factor, { index, isOne, part: parts[index] }))}
  </ul>`;
}

interface Place {
  readonly index: number;
  /** What sets another up in its place; undefined where nothing does. */
  readonly part: Html | undefined;
  /** It alone can be set up again. */
  readonly isOne: boolean;
}

function factorRow(context: PageContext, view: NewPhonePageView, factor: NewPhoneFactor, place: Place): Html {
  const { messages } = context;
  const drawn = drawnBy(context, factor.type);
  const own =
    drawn?.page.row?.({ ...drawn.drawing, factor, index: place.index, isRefused: false, isKept: !mayReplace(view) }) ??
    {};
  const added = html`${messages.settings.factors.added} ${timeOf(messages, factor.createdAt)}`;
  return row({
    icon: drawn?.page.icon ?? "lock",
    label: factor.label,
    badge: badgeOf(context, factor),
    facts: [kindOf(context, factor), own.hint ?? factor.hint, added],
    actions: mayReplace(view) && factor.isNew !== true && actions(context, view, factor, place, own.removeLead),
  });
}

/** What it is, where its name does not say that. */
function kindOf({ messages }: PageContext, { label, type }: NewPhoneFactor): string | undefined {
  const kind = messages.methods[type]?.name;
  return kind === label ? undefined : kind;
}

function badgeOf({ messages }: PageContext, { isNew, suspended }: NewPhoneFactor): string | undefined {
  if (isNew === true) return messages.newPhone.isNew;
  return suspended && messages.settings.factors.suspended;
}

/** Nothing of the old phone goes before something new is there. */
function actions(
  context: PageContext,
  { step }: NewPhonePageView,
  factor: NewPhoneFactor,
  place: Place,
  removeLead: string | undefined,
): Html {
  return html`<div class="sf-row-actions">
    ${againPart(context, place, step === "set-up")} ${step === "remove" && removePart(context, factor, removeLead)}
  </div>`;
}

/** What sets another up in its place; undefined where nothing does. What proves nothing is not renewed. */
function partOf(context: PageContext, factor: NewPhoneFactor, index: number): Html | undefined {
  if (factor.replaceable !== true || factor.suspended === true) return undefined;
  const drawn = drawnBy(context, factor.type);
  const fields = html`${hiddenField("replaces", factor.id)} ${fromNewPhone()}`;
  return drawn?.page.replace?.({ ...drawn.drawing, factor, index, fields });
}

function againPart({ messages }: PageContext, { isOne, part }: Place, isNext: boolean) {
  if (part === undefined) return undefined;
  return html`<details class="sf-details" name="sf-again" ${isOne && isNext && html`open`}>
    <summary>${messages.newPhone.setUpAgain}</summary>
    <div class="sf-confirm">${part}</div>
  </details>`;
}

function removePart({ base, messages }: PageContext, factor: NewPhoneFactor, ownLead: string | undefined): Html {
  const { remove: open, removeLead, removeSubmit } = messages.settings.factors;
  const form = html`<form method="post" action="${base}/factors/${encodeURIComponent(factor.id)}/remove">
    ${fromNewPhone()}
    <button type="submit" class="sf-button sf-button-danger">${removeSubmit}</button>
  </form>`;
  return confirmation(open, ownLead ?? removeLead(factor.label), form);
}

/** That backup codes run out, or were needed, is for afterwards. */
function codesNotice({ messages, pages }: PageContext, { backupCodes, step, usedCode }: NewPhonePageView) {
  const isFew = backupCodes.remaining <= FEW_CODES;
  if (step === "prove" || !pages.has(BACKUP_CODE) || !(isFew || usedCode)) return undefined;
  return html`<div class="${isFew ? "sf-notice sf-notice-warning" : "sf-notice sf-notice-info"}">
    ${icon(isFew ? "warning" : "key")}
    <p>${messages.newPhone.codes(backupCodes.remaining)}</p>
  </div>`;
}
