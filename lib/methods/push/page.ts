import { postButton } from "../../pages/forms.js";
import { alertBox, problemText } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import type { ChallengeForm, FactorRow, MethodPage } from "../../pages/method-page.js";
import { NO_NOTIFICATIONS } from "./state.js";
import { type PushWords, pushWords } from "./words.js";

/** What devices that approve show of themselves. */
export const pushPage: MethodPage<PushWords> = {
  icon: "app",
  words: pushWords,
  challenge: challengeForm,
  row: (row) => ({ hint: rowHint(row) }),
};

function challengeForm({ context, fields, problem, type, words }: ChallengeForm<PushWords>): Html {
  const ask = postButton({ action: `${context.base}/${type}/send`, fields, text: words.challenge.send("") });
  return html`${problem && alertBox(problemText(context.messages, problem))} ${ask}`;
}

function rowHint({ factor, words: { settings } }: FactorRow<PushWords>): string {
  const { hint = NO_NOTIFICATIONS } = factor;
  return hint === NO_NOTIFICATIONS ? settings.noNotifications : settings.reached(hint);
}
