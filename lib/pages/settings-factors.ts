import type { FactorView } from "../engine/views.js";
import { passwordField, postButton } from "./forms.js";
import { confirmation, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon, type Icon } from "./icons.js";
import type { Messages } from "./messages.js";
import { allDrawn, type Drawn, drawnBy, type MethodPage, type PagePart } from "./method-page.js";
import { NEW_PHONE } from "./new-phone-way.js";
import { othersPart } from "./other-sessions.js";
import { emptyState, row, section } from "./settings-section.js";
import type { PageContext, SettingsPageView } from "./views.js";

/** The authenticators, what can be done with each, and a form for one more. */
export function factorsSection(context: PageContext, view: SettingsPageView): Html {
  const { factors: words } = context.messages.settings;
  const { factors } = view.settings;
  const list = html`<ul class="sf-rows">
    ${factors.map((factor, index) => factorRow(context, view, factor, index))}
  </ul>`;
  return section(
    "factors",
    words.title,
    words.lead,
    html`${factors.length === 0 ? emptyState(words.none) : html`${list} ${keepsFactors(view) ? undefined : newPhoneLink(context)}`}
    ${!isFrozen(view) && addForms(context, view)}`,
  );
}

/** The guided way for whoever has a new phone in their hand. */
function newPhoneLink({ base, messages }: PageContext): Html {
  const { open, openLead } = messages.newPhone;
  return html`<p class="sf-hint">${openLead} <a href="${base}/${NEW_PHONE}">${open}</a></p>`;
}

/** What would only be refused is not offered. */
function isFrozen({ settings }: SettingsPageView): boolean {
  return settings.frozenUntil !== undefined;
}

/** For a while none is replaced or removed, while others may be added. */
function keepsFactors(view: SettingsPageView): boolean {
  return isFrozen(view) || view.settings.probation !== undefined;
}

type OwnParts = ReturnType<NonNullable<MethodPage["row"]>>;

function factorRow(context: PageContext, view: SettingsPageView, factor: FactorView, index: number): Html {
  const { messages } = context;
  const { factors: words } = messages.settings;
  const drawn = drawnBy(context, factor.type);
  const own = ownParts(drawn, view, factor, index);
  const kind = drawn?.drawing.words.name;
  return row({
    icon: drawn?.page.icon ?? "lock",
    label: factor.label,
    badge: badgeOf(messages, view, factor),
    facts: [
      kind !== factor.label && kind,
      own.hint ?? factor.hint,
      html`${words.added} ${timeOf(messages, factor.createdAt)}`,
      usedFact(messages, factor),
    ],
    actions:
      !isFrozen(view) && html`<div class="sf-row-actions">${rowActions(context, view, factor, own, index)}</div>`,
  });
}

function ownParts(drawn: Drawn | undefined, view: SettingsPageView, factor: FactorView, index: number): OwnParts {
  const isRefused = view.refused?.replaces === factor.id;
  return drawn?.page.row?.({ ...drawn.drawing, factor, index, isRefused, isKept: keepsFactors(view) }) ?? {};
}

/** What is suspended is allowed again or removed, and nothing else. */
function rowActions(
  context: PageContext,
  view: SettingsPageView,
  factor: FactorView,
  own: OwnParts,
  index: number,
): Html {
  const remove = keepsFactors(view) ? undefined : removeForm(context, view, factor, own.removeLead);
  if (factor.suspended === true) return html`${resumeForm(context, factor)} ${remove}`;
  return html`${renameForm(context, view, factor, index)} ${preferButton(context, view, factor)} ${own.actions}
  ${remove}`;
}

function resumeForm(context: PageContext, factor: FactorView): Html {
  const { factors: words } = context.messages.settings;
  const button = postButton({ action: `${factorPath(context, factor)}/resume`, text: words.resumeSubmit });
  return confirmation(words.resume, words.resumeLead(factor.label), button, "sf-summary");
}

/** A word that sets a factor apart, where one does. */
function badgeOf({ settings }: Messages, view: SettingsPageView, factor: FactorView): string | undefined {
  const { first, suspended } = settings.factors;
  if (factor.suspended === true) return suspended;
  return isFirstOf(view, factor) ? first : undefined;
}

function usedFact(messages: Messages, { lastUsedAt }: FactorView): Html | string {
  const { lastUsed, neverUsed } = messages.settings.factors;
  return lastUsedAt === null ? neverUsed : html`${lastUsed} ${timeOf(messages, lastUsedAt)}`;
}

/** There are several kinds, and this is the one that is asked for first because its owner wants it. */
function isFirstOf({ settings: { factors, preferred } }: SettingsPageView, { type }: FactorView): boolean {
  return type === preferred && factors.some((other) => other.type !== type && other.suspended !== true);
}

/** Of several kinds any can be the first. */
function preferButton({ base, messages }: PageContext, view: SettingsPageView, factor: FactorView): Html | undefined {
  const { askFirst } = messages.settings.factors;
  const isChoice = view.settings.factors.some(({ suspended, type }) => type !== factor.type && suspended !== true);
  if (!isChoice || isFirstOf(view, factor)) return undefined;
  return postButton({ action: `${base}/preferred`, text: askFirst, look: "link", fields: { type: factor.type } });
}

/** The path of one factor's changes. */
function factorPath({ base }: PageContext, { id }: FactorView): string {
  return `${base}/factors/${encodeURIComponent(id)}`;
}

function renameForm(context: PageContext, { draft }: SettingsPageView, factor: FactorView, index: number): Html {
  const { factors: words } = context.messages.settings;
  const id = `sf-rename-${index}`;
  const typed = draft?.factorId === factor.id ? draft.label : undefined;
  return html`<details class="sf-details" ${typed !== undefined && html`open`}>
    <summary>${words.rename}</summary>
    <form class="sf-form" method="post" action="${factorPath(context, factor)}/rename">
      <div class="sf-field">
        <label for="${id}">${words.name}</label>
        <input id="${id}" name="label" type="text" value="${typed ?? factor.label}" autocomplete="off" required />
      </div>
      <button type="submit" class="sf-button sf-button-small">${words.save}</button>
    </form>
  </details>`;
}

function removeForm(context: PageContext, view: SettingsPageView, factor: FactorView, ownLead?: string): Html {
  const { factors: words } = context.messages.settings;
  const left = view.settings.factors.filter(({ id, suspended }) => id !== factor.id && suspended !== true);
  const isLast = left.length === 0;
  if (isLast && view.required) return confirmation(words.remove, words.keepOne, null);
  const text = isLast ? words.removeLastLead(factor.label) : (ownLead ?? words.removeLead(factor.label));
  const action = `${factorPath(context, factor)}/remove`;
  return confirmation(words.remove, text, postButton({ action, text: words.removeSubmit, look: "danger" }));
}

/** With more than that many ways to begin with, each opens on its own. */
const MOST_OPEN = 2;

/** Whatever can be added: open where there is nothing yet and little to choose from, else a list. */
function addForms(context: PageContext, view: SettingsPageView): Html {
  const isFirst = view.settings.factors.length === 0;
  const parts = addParts(context, view, isFirst);
  if (isFirst && parts.length <= MOST_OPEN) return openForms(parts);
  const { add, addEnds } = context.messages.settings.factors;
  // Of several that are open browsers show the first alone.
  const opened = parts.findIndex(({ isTyped }) => isTyped);
  const open = opened === -1 && isFirst ? 0 : opened;
  const items = parts.map((part, index) => addItem(part, index === open));
  return html`<div class="sf-adds">
    <h3 id="sf-add">${add}</h3>
    ${!isFirst && endsSomething(view) && html`<p class="sf-hint">${addEnds}</p>`}
    <ul aria-labelledby="sf-add">
      ${items}
    </ul>
  </div>`;
}

function openForms(parts: readonly AddPart[]): Html {
  if (parts.length < 2) return html`${parts.map(({ body }) => body)}`;
  return html`${parts.map(
    ({ body, title }) =>
      html`<div class="sf-offer">
        <h3>${title}</h3>
        ${body}
      </div>`,
  )}`;
}

/** One at a time is open, where browsers know how. */
function addItem({ body, icon: drawing, title }: AddPart, isOpen: boolean): Html {
  return html`<li>
    <details class="sf-details" name="sf-add" ${isOpen && html`open`}>
      <summary>${icon(drawing)}<span>${title}</span></summary>
      ${body}
    </details>
  </li>`;
}

/** Somebody is signed in elsewhere, or a browser is trusted. */
function endsSomething({ settings: { devices, sessions } }: SettingsPageView): boolean {
  return devices.length > 0 || sessions.some(({ current }) => !current);
}

interface AddPart extends PagePart {
  readonly icon: Icon;
  /** Somebody has typed something there, or was refused it. */
  readonly isTyped: boolean;
}

function addParts(context: PageContext, view: SettingsPageView, isFirst: boolean): AddPart[] {
  const asksPassword = isFirst && view.needsStepUp && view.asksPassword;
  return allDrawn(context).flatMap(({ drawing, page }) => {
    const password = asksPassword ? passwordField(context, drawing.type) : undefined;
    const others = othersPart(context, view.others);
    const name = view.draft?.type === drawing.type ? view.draft.label : undefined;
    const isRefused = view.refused?.type === drawing.type && view.refused.replaces === undefined;
    const part = page.add?.({ ...drawing, place: "settings", isFirst, isMain: true, password, others, name });
    return part === undefined ? [] : { ...part, icon: page.icon, isTyped: name !== undefined || isRefused };
  });
}
