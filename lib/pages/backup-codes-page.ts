import { brand, cardHeading } from "./fragments.js";
import { type Html, html } from "./html.js";
import { renderPage } from "./layout.js";
import type { BackupCodesPageView, PageContext } from "./views.js";

/** Shows a set of backup codes, once. */
export function backupCodesPage(context: PageContext, view: BackupCodesPageView): string {
  const { issuer, messages } = context;
  const { backupCodes } = messages;
  const title = view.isFirst ? backupCodes.titleFirst : backupCodes.titleReplaced;
  const body = html`<div class="sf-medium sf-printable">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading("key", title)}
      <p class="sf-lead">${view.isFirst ? backupCodes.leadFirst : backupCodes.leadReplaced}</p>
      <p class="sf-notice sf-notice-warning">${backupCodes.advice}</p>
      <p class="sf-print-only">
        <strong>${backupCodes.fileHeading(issuer)}</strong>
        ${backupCodes.fileAdvice}
      </p>
      <ol class="sf-codes" aria-label="${backupCodes.list}" translate="no">
        ${view.codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ol>
      ${tools(context, view.codes)} ${continueForm(context, view.continueTo)}
    </section>
  </div>`;
  return renderPage(context, title, body);
}

function tools({ issuer, messages }: PageContext, codes: readonly string[]): Html {
  const { backupCodes, common } = messages;
  const list = codes.join("\n");
  const file = `${backupCodes.fileHeading(issuer)}\n${backupCodes.fileAdvice}\n\n${list}\n`;
  const style = "sf-button sf-button-small";
  return html`<div class="sf-tools" hidden data-script>
    <button type="button" class="${style}" data-copy="${list}">${backupCodes.copy}</button>
    <button type="button" class="${style}" data-download="${backupCodes.fileName}" data-text="${file}">
      ${backupCodes.download}
    </button>
    <button type="button" class="${style}" data-print>${backupCodes.print}</button>
    <span role="status" data-copied="${common.copied}" data-not-copied="${common.notCopied}"></span>
  </div>`;
}

/** A GET form drops the query of its action: the parameters travel as hidden fields. */
function continueForm({ messages }: PageContext, continueTo: string): Html {
  const { action, parameters } = localTarget(continueTo);
  const fields = parameters.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`);
  return html`<form class="sf-form" method="get" action="${action}" data-keep>
    ${fields}
    <label class="sf-check">
      <input type="checkbox" required />
      <span>${messages.backupCodes.saved}</span>
    </label>
    <button type="submit" class="sf-button">${messages.common.continue}</button>
  </form>`;
}

/** The local part of an address; `http://local` stands for this host and is never shown. */
function localTarget(address: string): { action: string; parameters: (readonly [string, string])[] } {
  if (!URL.canParse(address, "http://local")) return { action: "/", parameters: [] };
  const { hash, pathname, searchParams } = new URL(address, "http://local");
  // "//host" and "/\host" name another host, however they came about.
  const action = `/${pathname.replace(/^[/\\]+/, "")}${hash}`;
  return { action, parameters: [...searchParams] };
}
