import type { ApprovalState } from "../../core/approvals.js";
import { hiddenField, postButton } from "../../pages/forms.js";
import { alertBox, problemText, timeOf } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { ChallengeForm, PagePart } from "../../pages/method-page.js";
import { APPROVE_PATH } from "./places.js";
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
      body: overBody(form, view, [outcome.denied(view.device), outcome.deniedAdvice]),
    }),
    expired: () => ({ title: outcome.expiredTitle, body: overBody(form, view, [outcome.expired]) }),
  } as const;
  return shown[view.state]();
}

function alert({ context, problem }: Form): Html | undefined {
  return problem && alertBox(problemText(context.messages, problem));
}

function waitingBody(form: Form, view: WaitView): Html {
  const { wait } = form.words;
  const { device, expiresAt, isEarly = false, number } = view;
  const [first = "", second = ""] = number;
  return html`${alert(form)} ${isEarly && earlyNotice(wait.early(device))}
    <div class="sf-number">
      <p id="sf-number">${wait.number}</p>
      <p>
        <span class="sf-hidden">${wait.spoken(first, second)}</span>
        <strong aria-hidden="true" translate="no">${number}</strong>
      </p>
    </div>
    <ol class="sf-todo">
      <li>${wait.open(device)} ${listAddress(form)}</li>
      <li>${wait.compare}</li>
      <li>${wait.type}</li>
    </ol>
    ${statusForm(form, view, wait.submit)}
    <p class="sf-hint">${wait.until} ${timeOf(form.context.messages, expiresAt)}.</p>`;
}

function earlyNotice(text: string): Html {
  return html`<div class="sf-notice sf-notice-warning" role="alert" tabindex="-1" autofocus>
    ${icon("warning")}
    <p>${text}</p>
  </div>`;
}

/** Where the device shows what it is asked, for whoever gets no notification there. */
function listAddress({ context, words }: Form): Html {
  const { base, origin = "" } = context;
  const address = `${origin.replace(/^https?:\/\//, "")}${base}${APPROVE_PATH}`;
  return html`<span class="sf-hint">${words.wait.nothingCame} <code translate="no">${address}</code></span>`;
}

/** Asks for the answer and, where there is one, goes on. With a script it is sent by itself then. */
function statusForm(form: Form, { expiresAt, requestId, state }: WaitView, button: string): Html {
  const { context, fields, trust, type, words } = form;
  const { unreachable, waiting } = words.wait;
  return html`<form
    class="sf-form"
    method="post"
    action="${context.base}/${type}/status"
    data-push-wait="${state}"
    data-expires="${expiresAt}"
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
  return html`${alert(form)}
    <p class="sf-lead" role="status">${approved}</p>
    ${statusForm(form, view, goOn)}`;
}

function overBody(form: Form, { factorId }: WaitView, sentences: readonly string[]): Html {
  const { context, fields, type, words } = form;
  const again = postButton({
    action: `${context.base}/${type}/send`,
    text: words.wait.again,
    fields: { factorId, ...fields },
  });
  return html`${alert(form)}
    <div class="sf-lines" role="alert" tabindex="-1" autofocus>
      ${sentences.map((each) => html`<p class="sf-lead">${each}</p>`)}
    </div>
    ${again}`;
}
