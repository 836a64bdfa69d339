import type { FactorView } from "../engine/views.js";
import { confirmation, postButton, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
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
    html`${factors.length === 0 ? emptyState(words.none) : list} ${addForm(context, view)}`,
  );
}

function factorRow(context: PageContext, view: SettingsPageView, factor: FactorView, index: number): Html {
  const { messages } = context;
  const { factors: words } = messages.settings;
  const used =
    factor.lastUsedAt === null ? words.neverUsed : html`${words.lastUsed} ${timeOf(messages, factor.lastUsedAt)}`;
  return row({
    icon: "app",
    label: factor.label,
    facts: [
      messages.methods[factor.type],
      ...(factor.hint === undefined ? [] : [factor.hint]),
      html`${words.added} ${timeOf(messages, factor.createdAt)}`,
      used,
    ],
    actions: html`<div class="sf-row-actions">
      ${renameForm(context, factor, index)}
      ${view.resyncable.includes(factor.type) && resyncForm(context, factor, index)}
      ${removeForm(context, view, factor)}
    </div>`,
  });
}

/** The path of one factor's changes. */
function factorPath({ base }: PageContext, { id }: FactorView): string {
  return `${base}/factors/${encodeURIComponent(id)}`;
}

function renameForm(context: PageContext, factor: FactorView, index: number): Html {
  const { factors: words } = context.messages.settings;
  const id = `sf-rename-${index}`;
  return html`<details class="sf-details">
    <summary>${words.rename}</summary>
    <form class="sf-form" method="post" action="${factorPath(context, factor)}/rename">
      <div class="sf-field">
        <label for="${id}">${words.name}</label>
        <input id="${id}" name="label" type="text" value="${factor.label}" autocomplete="off" required />
      </div>
      <button type="submit" class="sf-button sf-button-small">${words.save}</button>
    </form>
  </details>`;
}

function resyncForm({ base, messages }: PageContext, factor: FactorView, index: number): Html {
  const { factors: words } = messages.settings;
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
    <form class="sf-form" method="post" action="${base}/${factor.type}/resync">
      <p>${words.resyncLead}</p>
      <input type="hidden" name="factorId" value="${factor.id}" />
      <div class="sf-pair">${field(words.resyncFirst, "first")} ${field(words.resyncSecond, "second")}</div>
      <button type="submit" class="sf-button sf-button-small">${words.resyncSubmit}</button>
    </form>
  </details>`;
}

function removeForm(context: PageContext, view: SettingsPageView, factor: FactorView): Html {
  const { factors: words } = context.messages.settings;
  const isLast = view.settings.factors.length === 1;
  if (isLast && view.required) return confirmation(words.remove, words.keepOne, null);
  const text = isLast ? words.removeLastLead(factor.label) : words.removeLead(factor.label);
  const button = postButton(`${factorPath(context, factor)}/remove`, words.removeSubmit, "sf-button sf-button-danger");
  return confirmation(words.remove, text, button);
}

function addForm(context: PageContext, view: SettingsPageView): Html | undefined {
  if (!view.enrollable.includes("totp")) return undefined;
  const { factors: words } = context.messages.settings;
  const isFirst = view.settings.factors.length === 0;
  const form = html`<form class="sf-form" method="post" action="${context.base}/totp/enroll">
    <div class="sf-field">
      <label for="sf-add-label">${words.addName}</label>
      <p class="sf-hint" id="sf-add-hint">${words.addNameHint}</p>
      <input id="sf-add-label" name="label" type="text" autocomplete="off" aria-describedby="sf-add-hint" />
    </div>
    ${isFirst && view.needsStepUp && view.asksPassword && passwordField(context)}
    <button type="submit" class="sf-button">${words.addSubmit}</button>
  </form>`;
  if (isFirst) return form;
  return html`<details class="sf-details sf-add">
    <summary>${words.addTitle}</summary>
    ${form}
  </details>`;
}

function passwordField({ messages }: PageContext): Html {
  const { factors: words } = messages.settings;
  return html`<div class="sf-field">
    <label for="sf-password">${words.password}</label>
    <p class="sf-hint" id="sf-password-hint">${words.passwordHint}</p>
    <input
      id="sf-password"
      name="password"
      type="password"
      autocomplete="current-password"
      required
      aria-describedby="sf-password-hint"
    />
  </div>`;
}
