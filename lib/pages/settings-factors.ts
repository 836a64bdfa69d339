import type { FactorView } from "../engine/views.js";
import { confirmation, postButton, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import type { Messages } from "./messages.js";
import { passkeyForm } from "./passkey-form.js";
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

function factorRow(context: PageContext, view: SettingsPageView, factor: FactorView, index: number): Html {
  const { messages } = context;
  const { factors: words } = messages.settings;
  const used =
    factor.lastUsedAt === null ? words.neverUsed : html`${words.lastUsed} ${timeOf(messages, factor.lastUsedAt)}`;
  return row({
    icon: factor.type === "passkey" ? "passkey" : "app",
    label: factor.label,
    facts: [
      ...(factor.label === messages.methods[factor.type] ? [] : [messages.methods[factor.type]]),
      ...(factor.hint === undefined ? [] : [hintOf(messages, factor.hint)]),
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

/** Passkeys say where they live, in a word of ours; other hints are for the owner as they are. */
function hintOf({ settings }: Messages, hint: string): string {
  if (hint === "synced") return settings.passkeys.synced;
  return hint === "device-bound" ? settings.passkeys.deviceBound : hint;
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
  const { factors: words, passkeys } = context.messages.settings;
  const isLast = view.settings.factors.length === 1;
  if (isLast && view.required) return confirmation(words.remove, words.keepOne, null);
  const removeLead = factor.type === "passkey" ? passkeys.removeLead : words.removeLead;
  const text = isLast ? words.removeLastLead(factor.label) : removeLead(factor.label);
  const button = postButton(`${factorPath(context, factor)}/remove`, words.removeSubmit, "sf-button sf-button-danger");
  return confirmation(words.remove, text, button);
}

/** Whatever can be added: open where there is nothing yet, else behind a word. */
function addForms(context: PageContext, view: SettingsPageView): Html {
  const { factors: words, passkeys } = context.messages.settings;
  const isFirst = view.settings.factors.length === 0;
  const asksPassword = isFirst && view.needsStepUp && view.asksPassword;
  const offers = [
    { type: "passkey", title: passkeys.addTitle, form: addPasskey },
    { type: "totp", title: isFirst ? words.addFirstTitle : words.addTitle, form: addApp },
  ].filter(({ type }) => view.enrollable.some((each) => each === type));
  if (!isFirst) {
    const more = offers.map(
      ({ form, title }) =>
        html`<details class="sf-details">
          <summary>${title}</summary>
          ${form(context, isFirst, asksPassword)}
        </details>`,
    );
    return html`<div class="sf-adds">${more}</div>`;
  }
  if (offers.length < 2) return html`${offers.map(({ form }) => form(context, isFirst, asksPassword))}`;
  return html`${offers.map(
    ({ form, title }) =>
      html`<div class="sf-offer">
        <h3>${title}</h3>
        ${form(context, isFirst, asksPassword)}
      </div>`,
  )}`;
}

function addPasskey(context: PageContext, isFirst: boolean, asksPassword: boolean): Html {
  const { passkeys: words } = context.messages.settings;
  return html`<div class="sf-form">
    <p class="sf-hint">${words.addLead}</p>
    ${passkeyForm(context, {
      ceremony: "create",
      action: `${context.base}/passkey/enroll`,
      fields: asksPassword && passwordField(context, "sf-passkey-password"),
      button: words.addSubmit,
      cancelled: words.cancelled,
      alreadyHere: words.alreadyHere,
      stepUp: !isFirst && context.base,
      ...(asksPassword ? { passwordRefused: words.passwordRefused } : {}),
    })}
  </div>`;
}

function addApp(context: PageContext, _isFirst: boolean, asksPassword: boolean): Html {
  const { factors: words } = context.messages.settings;
  return html`<form class="sf-form" method="post" action="${context.base}/totp/enroll">
    <div class="sf-field">
      <label for="sf-add-label">${words.addName}</label>
      <p class="sf-hint" id="sf-add-hint">${words.addNameHint}</p>
      <input id="sf-add-label" name="label" type="text" autocomplete="off" aria-describedby="sf-add-hint" />
    </div>
    ${asksPassword && passwordField(context, "sf-password")}
    <button type="submit" class="sf-button">${words.addSubmit}</button>
  </form>`;
}

function passwordField({ messages }: PageContext, id: string): Html {
  const { factors: words } = messages.settings;
  return html`<div class="sf-field">
    <label for="${id}">${words.password}</label>
    <p class="sf-hint" id="${id}-hint">${words.passwordHint}</p>
    <input
      id="${id}"
      name="password"
      type="password"
      autocomplete="current-password"
      required
      aria-describedby="${id}-hint"
    />
  </div>`;
}
