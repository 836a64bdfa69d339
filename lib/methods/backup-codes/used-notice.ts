import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { SettingsPart } from "../../pages/method-page.js";
import type { BackupCodesWords } from "./words.js";

/** With this many codes left, or fewer, it is time for new ones. */
export const FEW = 2;

/** Whoever came in by a code is told how many are left, while this login rests on it. */
export function usedNotice({
  lastProof,
  settings,
  type,
  words: { settings: words },
}: SettingsPart<BackupCodesWords>): Html | undefined {
  if (lastProof !== type) return undefined;
  const { remaining } = settings.backupCodes;
  const isFew = remaining <= FEW;
  return html`<div class="${isFew ? "sf-notice sf-notice-warning" : "sf-notice sf-notice-info"}">
    ${icon(isFew ? "warning" : "key")}
    <p>${words.used(remaining)}</p>
    ${isFew && html`<a class="sf-button sf-button-small" href="#sf-codes">${words.replace}</a>`}
  </div>`;
}
