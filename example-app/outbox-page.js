// What would have been sent, for whoever tries the demonstration. A real application has no such page.
import { html } from "hono/html";
import { MOVES } from "./clock.js";
import { page } from "./views.js";

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

/** Its links open in the page around it: they lead into this application, which is shown in no frame. */
function framed(document) {
  return document.replace("<head>", '<head><base target="_top" />');
}

/** The newest as HTML at once, the others where somebody wants to see it. */
function mail({ html: document, text }, isNewest) {
  return html`<details ${isNewest ? "open" : ""}>
      <summary>As HTML</summary>
      <iframe
        class="mail"
        title="The mail as HTML"
        sandbox="allow-top-navigation-by-user-activation"
        srcdoc="${framed(document)}"
      ></iframe>
    </details>
    <details>
      <summary>As text</summary>
      <pre>${text}</pre>
    </details>`;
}

function message(each, index) {
  const { to, subject, text, html: document, at } = each;
  return html`<li class="message">
    <h3>${subject ?? "Text message"}</h3>
    <p class="hint">To ${to}, <time datetime="${at}">${MOMENT.format(new Date(at))} UTC</time></p>
    ${document === undefined ? html`<pre>${text}</pre>` : mail(each, index === 0)}
  </li>`;
}

/** Of the demonstration only. @param {number} now */
function clock(now) {
  const buttons = Object.keys(MOVES).map(
    (move) => html`<button class="button quiet" name="move" value="${move}">${move}</button>`,
  );
  return html`<section class="card">
    <h2>The time here</h2>
    <p class="hint">For trying what takes days, such as a recovery. No real application has this.</p>
    <p class="time"><time datetime="${new Date(now).toISOString()}">${MOMENT.format(new Date(now))} UTC</time></p>
    <form class="actions" method="post" action="/outbox/clock">${buttons}</form>
    <p class="hint">
      It goes forward only, and logins end as they would by then. Authenticator apps go by the clock of the phone: once
      the time here is ahead, use a passkey or codes by text message.
    </p>
  </section>`;
}

/**
 * @param {import("./outbox.js").KeptMessage[]} messages newest first
 * @param {number | undefined} now where the clock can be moved
 */
export function outboxPage(req, messages, now) {
  const nothing = html`<p class="notice">
    Nothing yet. Set up codes by e-mail or text message, and load this page again.
  </p>`;
  return page(
    req,
    "Outbox",
    html`<div class="stack">
      <section class="card">
        <h1>Outbox</h1>
        <p class="lead">Mails and text messages of this demonstration. They stay here: nothing leaves the machine.</p>
        <p class="actions"><a class="button quiet" href="/outbox">Look again</a></p>
      </section>
      ${now === undefined ? "" : clock(now)}
      <section class="card">
        <h2>Messages</h2>
        ${
          messages.length === 0
            ? nothing
            : html`<ol class="messages">
                ${messages.map(message)}
              </ol>`
        }
      </section>
    </div>`,
  );
}
