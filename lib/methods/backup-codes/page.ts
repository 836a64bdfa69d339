import { codeChallenge } from "../../pages/code-page.js";
import { postButton } from "../../pages/forms.js";
import { brand, cardHeading, confirmation, timeOf } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { CodesView, MethodPage, PagePart, SettingsPart } from "../../pages/method-page.js";
import { emptyState, section } from "../../pages/settings-section.js";
import { FEW, usedNotice } from "./used-notice.js";
import { type BackupCodesWords, backupCodesWords } from "./words.js";

/** What backup codes show of themselves. */
export const backupCodesPage: MethodPage<BackupCodesWords> = {
  icon: "key",
  words: backupCodesWords,
  challenge: (form) => codeChallenge(form, "letters"),
  section: codesSection,
  notice: usedNotice,
  codes: codesPage,
};

/** How many backup codes are left, and how to get new ones. */
function codesSection({ context, settings, words: { settings: words } }: SettingsPart<BackupCodesWords>): Html {
  const { base, messages } = context;
  if (settings.factors.length === 0) return section("codes", words.title, words.lead, emptyState(words.first));
  const { createdAt, remaining, suspended } = settings.backupCodes;
  const made = createdAt !== null && html`<p class="sf-facts">${words.made} ${timeOf(messages, createdAt)}</p>`;
  const replace = postButton({ action: `${base}/backup-codes`, text: words.replaceSubmit, look: "danger" });
  const make =
    remaining === 0
      ? postButton({ action: `${base}/backup-codes`, text: words.replace })
      : confirmation(words.replace, words.replaceLead, replace, "sf-summary");
  const state = suspended === true ? warning(words.suspended) : left(words, remaining);
  const action = settings.frozenUntil === undefined && make;
  return section("codes", words.title, words.lead, html`${state} ${made} ${action}`);
}

function warning(text: string): Html {
  return html`<div class="sf-notice sf-notice-warning">
    ${icon("warning")}
    <p>${text}</p>
  </div>`;
}

function left({ few, none, remaining: plenty }: BackupCodesWords["settings"], remaining: number): Html {
  if (remaining > FEW) return html`<p class="sf-count">${plenty(remaining)}</p>`;
  return warning(remaining === 0 ? none : few(remaining));
}

/** A set of backup codes, shown once. */
function codesPage(view: CodesView<BackupCodesWords>): PagePart {
  const { codes, context, isFirst, others } = view;
  const words = view.words.codes;
  const title = isFirst ? words.titleFirst : words.titleReplaced;
  const body = html`<div class="sf-medium sf-printable">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("key", title)}
      <p class="sf-lead">
        ${isFirst ? words.leadFirst : words.leadReplaced}${others !== undefined && html` ${others}`}
      </p>
      <p class="sf-notice sf-notice-warning">${words.advice}</p>
      <p class="sf-print-only">
        <strong>${words.fileHeading(context.issuer)}</strong>
        ${words.fileAdvice}
      </p>
      <ol class="sf-codes" aria-label="${words.list}" translate="no">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ol>
      ${tools(view)} ${continueForm(view)}
    </section>
  </div>`;
  return { title, body };
}

function tools({ codes, context, words: { codes: words } }: CodesView<BackupCodesWords>): Html {
  const { common } = context.messages;
  const list = codes.join("\n");
  const file = `${words.fileHeading(context.issuer)}\n${words.fileAdvice}\n\n${list}\n`;
  const style = "sf-button sf-button-small";
  return html`<div class="sf-tools" hidden data-script>
    <button type="button" class="${style}" data-copy="${list}">${words.copy}</button>
    <button type="button" class="${style}" data-download="${words.fileName}" data-text="${file}">
      ${words.download}
    </button>
    <button type="button" class="${style}" data-print>${words.print}</button>
    <span role="status" data-copied="${common.copied}" data-not-copied="${common.notCopied}"></span>
  </div>`;
}

/** Says that they are saved: they are not shown again then, and the server knows where the visitor goes. */
function continueForm({ context, savedAction, words }: CodesView<BackupCodesWords>): Html {
  return html`<form class="sf-form" method="post" action="${savedAction}" data-keep>
    <label class="sf-check">
      <input type="checkbox" required />
      <span>${words.codes.saved}</span>
    </label>
    <button type="submit" class="sf-button">${context.messages.common.continue}</button>
  </form>`;
}
