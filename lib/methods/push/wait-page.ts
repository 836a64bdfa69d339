import type { ApprovalState } from "../../core/approvals.js";
import { hiddenField, postButton } from "../../pages/forms.js";
import { timeOf } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { ChallengeForm, PagePart } from "../../pages/method-page.js";
import { pausedText, problemOf, warning } from "./page.js";
import { APPROVE_PATH } from "./places.js";
import { NO_NOTIFICATIONS } from "./state.js";
import type { PushWords } from "./words.js";

/** A question that was put to a device, as whoever asked may see it. */
export interface WaitView {
  readonly requestId: string;
  /** The device that was asked, and what its owner calls it. */
  readonly factorId: string;
  readonly device: string;
  /** Two digits. */
  readonly number: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
  readonly state: ApprovalState;
  /** The button was pressed before there was an answer. */
  readonly isEarly?: boolean;
}

type Form = ChallengeForm<PushWords>;

/** What whoever asked sees: the number while a device is waited for, then what came of it. */
export function waitPage(form: Form, view: WaitView): PagePart {
  const { outcome, wait } = form.words;
  const shown = {
    waiting: () => ({ title: wait.title, body: waitingBody(form, view) }),
    approved: () => ({ title: outcome.approvedTitle, body: approvedBody(form, view) }),
    denied: () => ({
      title: outcome.deniedTitle,
      body: overBody(form, view, outcome.denied(view.device), outcome.deniedAdvice),
    }),
    expired: () => ({ title: outcome.expiredTitle, body: overBody(form, view, outcome.expired) }),
  } as const;
  return shown[view.state]();
}

function waitingBody(form: Form, view: WaitView): Html {
  const { wait } = form.words;
  const { device, expiresAt, isEarly = false, number } = view;
  const [first = "", second = ""] = number;
  return html`${problemOf(form)} ${isEarly && warning(wait.early(device))}
    <div class="sf-number">
      <p>${wait.number}</p>
      <p>
        <span class="sf-hidden">${wait.spoken(first, second)}</span>
        <strong aria-hidden="true" translate="no">${number}</strong>
      </p>
    </div>
    <ol class="sf-todo">
      <li>${openStep(form, view)}</li>
      <li>${wait.compare}</li>
      <li>${wait.type}</li>
    </ol>
    ${statusForm(form, view, wait.submit)}
    <p class="sf-hint">${wait.until} ${timeOf(form.context.messages, expiresAt)}.</p>`;
}

/** How the device is opened: by its notification, or by the address where it shows what it is asked. */
function openStep({ choice, context, words: { wait } }: Form, { device, factorId }: WaitView): Html {
  const { base, origin = "" } = context;
  const address = html`<code translate="no">${origin.replace(/^https?:\/\//, "")}${base}${APPROVE_PATH}</code>`;
  const isSilent = choice.factors.some(({ hint, id }) => id === factorId && hint === NO_NOTIFICATIONS);
  if (isSilent) return html`${wait.openList(device)} <span class="sf-hint">${address}</span>`;
  return html`${wait.open(device)} <span class="sf-hint">${wait.nothingCame} ${address}</span>`;
}

/** Asks for the answer and, where there is one, goes on. With a script it is sent by itself then. */
function statusForm(form: Form, { requestId, state }: WaitView, button: string): Html {
  const { context, fields, trust, type, words } = form;
  const { unreachable, waiting } = words.wait;
  return html`<form
    class="sf-form"
    method="post"
    action="${context.base}/${type}/status"
    data-push-wait="${state}"
    data-operation="${fields.operation ?? ""}"
    data-waiting="${waiting}"
    data-unreachable="${unreachable}"
  >
    ${hiddenField("requestId", requestId)} ${trust}
    <p class="sf-awaited" role="status" hidden></p>
    <button type="submit" class="sf-button">${button}</button>
  </form>`;
}

function approvedBody(form: Form, view: WaitView): Html {
  const { approved, goOn } = form.words.outcome;
  return html`${problemOf(form)}
    <p class="sf-lead" role="status">${approved}</p>
    ${statusForm(form, view, goOn)}`;
}

/** What came of it, and what can be done: another request, where one may be sent. */
function overBody(form: Form, { factorId }: WaitView, happened: string, advice?: string): Html {
  const { context, fields, type, words } = form;
  const paused = pausedText(form);
  const lines = [happened, paused ?? advice].filter((line) => line !== undefined);
  const again = postButton({
    action: `${context.base}/${type}/send`,
    text: words.wait.again,
    fields: { factorId, ...fields },
  });
  return html`${problemOf(form)}
    <div class="sf-notice sf-notice-warning" role="alert" tabindex="-1" autofocus>
      ${icon("warning")}
      <div class="sf-lines">${lines.map((line) => html`<p>${line}</p>`)}</div>
    </div>
    ${paused === undefined && again}`;
}
