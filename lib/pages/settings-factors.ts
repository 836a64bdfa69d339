import type { FactorView } from "../engine/views.js";
import { passwordField, postButton } from "./forms.js";
import { confirmation, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { allDrawn, drawnBy, type MethodPage, type PagePart } from "./method-page.js";
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
    html`${factors.length === 0 ? emptyState(words.none) : list} ${addForms(context, view)}`,
  );
}

type OwnParts = ReturnType<NonNullable<MethodPage["row"]>>;

function factorRow(context: PageContext, view: SettingsPageView, factor: FactorView, index: number): Html {
  const { messages } = context;
  const { factors: words } = messages.settings;
  const drawn = drawnBy(context, factor.type);
  const own: OwnParts = drawn?.page.row?.({ ...drawn.drawing, factor, index }) ?? {};
  const used =
    factor.lastUsedAt === null ? words.neverUsed : html`${words.lastUsed} ${timeOf(messages, factor.lastUsedAt)}`;
  const kind = drawn?.drawing.words.name;
  return row({
    icon: drawn?.page.icon ?? "lock",
    label: factor.label,
    facts: [
      kind !== factor.label && kind,
      own.hint ?? factor.hint,
      html`${words.added} ${timeOf(messages, factor.createdAt)}`,
      used,
    ],
    actions: html`<div class="sf-row-actions">
      ${renameForm(context, view, factor, index)} ${own.actions} ${removeForm(context, view, factor, own.removeLead)}
    </div>`,
  });
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
  const isLast = view.settings.factors.length === 1;
  if (isLast && view.required) return confirmation(words.remove, words.keepOne, null);
  const text = isLast ? words.removeLastLead(factor.label) : (ownLead ?? words.removeLead(factor.label));
  const action = `${factorPath(context, factor)}/remove`;
  return confirmation(words.remove, text, postButton({ action, text: words.removeSubmit, look: "danger" }));
}

/** Whatever can be added: open where there is nothing yet, else behind a word. */
function addForms(context: PageContext, view: SettingsPageView): Html {
  const isFirst = view.settings.factors.length === 0;
  const parts = addParts(context, view, isFirst);
  if (!isFirst) {
    const more = parts.map(
      ({ body, isTyped, title }) =>
        html`<details class="sf-details" ${isTyped && html`open`}>
          <summary>${title}</summary>
          ${body}
        </details>`,
    );
    return html`<div class="sf-adds">${more}</div>`;
  }
  if (parts.length < 2) return html`${parts.map(({ body }) => body)}`;
  return html`${parts.map(
    ({ body, title }) =>
      html`<div class="sf-offer">
        <h3>${title}</h3>
        ${body}
      </div>`,
  )}`;
}

interface AddPart extends PagePart {
  /** Somebody has typed something there. */
  readonly isTyped: boolean;
}

function addParts(context: PageContext, view: SettingsPageView, isFirst: boolean): AddPart[] {
  const asksPassword = isFirst && view.needsStepUp && view.asksPassword;
  return allDrawn(context).flatMap(({ drawing, page }) => {
    const password = asksPassword ? passwordField(context, drawing.type) : undefined;
    const others = othersPart(context, view.others);
    const name = view.draft?.type === drawing.type ? view.draft.label : undefined;
    const part = page.add?.({ ...drawing, place: "settings", isFirst, isMain: true, password, others, name });
    return part === undefined ? [] : { ...part, isTyped: name !== undefined };
  });
}
