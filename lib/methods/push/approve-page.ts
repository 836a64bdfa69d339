import { brand, cardHeading } from "../../pages/fragments.js";
import { type Html, html } from "../../pages/html.js";
import { icon } from "../../pages/icons.js";
import type { PagePart } from "../../pages/method-page.js";
import type { PageContext } from "../../pages/views.js";
import type { PushChannel } from "./channel.js";
import { deviceIcon } from "./drawing.js";
import { wakingData } from "./worker.js";
import { type PushWords, pushWords } from "./words.js";

/**
 * The page of a device: what it is asked, and its answer. It knows of no login: the device's key, which a script alone can use, says
 * who it is. Everything a script shows there stands in it.
 */
export function approvePage(context: PageContext, channel: PushChannel | undefined): PagePart {
  const words = context.messages.methods.push ?? pushWords;
  const { needsScript, title } = words.approve;
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      ${cardHeading(deviceIcon, title)}
      <p class="sf-notice" data-without>${needsScript}</p>
      <div
        class="sf-form"
        hidden
        data-push-approve
        data-base="${context.base}"
        data-unsupported="${words.approve.unsupported}"
        data-notified="${words.approve.notified}"
        data-blocked="${words.settings.blocked}"
        ${answers(words)}
        ${wakingData(context, words, channel)}
      >
        ${result("shield", html`data-good`)} ${result("warning", html`data-bad`)}
        <p class="sf-awaited" role="status" data-status>${words.approve.looking}</p>
        <div class="sf-form sf-list" data-list></div>
        ${nothing(context, words)} ${silent(words)}
      </div>
      <template data-push-request>${requestCard(words)}</template>
    </section>
    <footer class="sf-foot"><p>${words.approve.advice}</p></footer>
  </div>`;
  return { title, body };
}

/** What came of the last answer. */
function result(drawing: "shield" | "warning", mark: Html): Html {
  const look = drawing === "shield" ? "sf-notice" : "sf-notice sf-notice-warning";
  return html`<div class="${look}" role="alert" tabindex="-1" hidden ${mark}>
    ${icon(drawing)}
    <p></p>
  </div>`;
}

/** What the device is told of its answer. */
function answers({ answers: told }: PushWords): Html {
  return html`data-approved="${told.approved}" data-denied="${told.denied}" data-reported="${told.reported}"
  data-no-number="${told.noNumber}" data-wrong-number="${told.wrongNumber}" data-wrong-thrice="${told.wrongThrice}"
  data-over="${told.over}" data-same-browser="${told.sameBrowser}" data-frozen="${told.frozen}"
  data-clock="${told.clock}" data-offline="${told.offline}"`;
}

/** What stands there while there is nothing to decide. */
function nothing({ base }: PageContext, { approve }: PushWords): Html {
  const { noDevice, noDeviceTitle, none, noneTitle, removed, toSettings } = approve;
  const link = html`<p><a class="sf-button sf-button-quiet" href="${base}/settings">${toSettings}</a></p>`;
  return html`<div class="sf-nothing" hidden data-none>
      <h2>${noneTitle}</h2>
      <p class="sf-hint">${none}</p>
    </div>
    <div class="sf-nothing" hidden data-no-device>
      <h2>${noDeviceTitle}</h2>
      <p class="sf-hint" data-unknown>${noDevice}</p>
      <p class="sf-hint" hidden data-removed>${removed}</p>
      ${link}
    </div>`;
}

function silent({ approve }: PushWords): Html {
  return html`<div class="sf-notice sf-notice-info" hidden data-silent>
    ${icon("warning")}
    <p role="status">${approve.silent}</p>
    <button type="button" class="sf-button sf-button-small" data-notify>${approve.notify}</button>
  </div>`;
}

function fact(name: string, mark: Html, unknown: string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd ${mark}>${unknown}</dd>
  </div>`;
}

/** One request, for the script to fill in. */
function requestCard({ approve }: PushWords): Html {
  const { address, asked, browser, timeLeft, unknown } = approve;
  return html`<div class="sf-form sf-request">
    <div class="sf-operation">
      <h2>${asked}</h2>
      <p dir="auto" data-text></p>
    </div>
    <dl class="sf-about">
      ${fact(browser, html`data-browser`, unknown)} ${fact(address, html`data-address`, unknown)}
      ${fact(timeLeft, html`data-left`, "")}
    </dl>
    ${answerForm(approve)}
  </div>`;
}

function answerForm(approve: PushWords["approve"]): Html {
  const { deny, notMe, notMeLead, notMeSubmit, number, numberHint, submit } = approve;
  return html`<form class="sf-form" novalidate>
    <div class="sf-field">
      <label for="sf-number">${number}</label>
      <p class="sf-hint" id="sf-number-hint">${numberHint}</p>
      <p class="sf-error" id="sf-number-error" role="alert" hidden>${icon("warning")}<span></span></p>
      <input
        class="sf-code sf-code-digits sf-number-field"
        id="sf-number"
        type="text"
        inputmode="numeric"
        pattern="[0-9]{2}"
        autocomplete="off"
        spellcheck="false"
        data-digits
        aria-describedby="sf-number-error sf-number-hint"
      />
    </div>
    <div class="sf-decide">
      <button type="submit" class="sf-button">${submit}</button>
      <button type="button" class="sf-button sf-button-quiet" data-deny>${deny}</button>
    </div>
    <details class="sf-details">
      <summary class="sf-summary-danger">${notMe}</summary>
      <div class="sf-confirm">
        <p>${notMeLead}</p>
        <button type="button" class="sf-button sf-button-danger" data-not-me>${notMeSubmit}</button>
      </div>
    </details>
  </form>`;
}
