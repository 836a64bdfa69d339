// The application's own pages. `html` escapes every value that stands in it.
import { html } from "hono/html";
import { DEMO_OPERATORS, DEMO_PASSWORD } from "./operators.js";

function navigation(req) {
  if (!req.user) return html`<a href="/login">Log in</a> <a href="/register">Register</a>`;
  const desk = req.user.operator ? html`<a href="/desk">Help desk</a>` : "";
  return html`${desk}
    <a href="/invoices">Invoices</a>
    <a href="/transfer">Transfer</a>
    <a href="/account">Account</a>
    <form method="post" action="/logout"><button class="link">Log out</button></form>`;
}

/** Support is signed in in the place of this user. Whoever sits here has to see it, on every page. */
function acting(req) {
  const actor = req.secondFactor?.actor;
  if (actor === undefined) return "";
  return html`<div class="banner acting" role="status">
    <p><strong>You are ${actor}, acting for ${req.user.email}.</strong> They were told.</p>
    <form method="post" action="/logout"><button class="link">Stop acting</button></form>
  </div>`;
}

export function page(req, title, body, script) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – Acme Demo</title>
        <link rel="stylesheet" href="/style.css" />
        ${script ? html`<script type="module" src="${script}"></script>` : ""}
      </head>
      <body>
        <p class="banner">
          <strong>Demonstration.</strong> Accounts are kept in ${req.app.locals.storageName}, mails and texts in the
          <a href="/outbox">outbox</a>.
        </p>
        ${acting(req)}
        <header>
          <a class="brand" href="/">Acme Demo</a>
          <nav aria-label="Main">${navigation(req)}</nav>
        </header>
        <main>${body}</main>
      </body>
    </html> `.toString();
}

/** What came of something, above the rest of a page. @param {{ kind: "notice" | "alert", text: string } | undefined} news */
export function said(news) {
  if (!news) return "";
  return news.kind === "alert" ? alert(news.text) : html`<p class="notice" role="status">${news.text}</p>`;
}

/** An error above the fields of a form. */
function alert(text) {
  return text ? html`<p class="alert" id="problem" role="alert">${text}</p>` : "";
}

export function field({ name, label, type, autocomplete, value = "", inputmode, hint, isWrong = false }) {
  const describedBy = [isWrong && "problem", hint && `${name}-hint`].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : ""}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      value="${value}"
      required
      ${inputmode ? html`inputmode="${inputmode}"` : ""}
      ${describedBy ? html`aria-describedby="${describedBy}"` : ""}
      ${isWrong ? html`aria-invalid="true"` : ""}
    />
  </div>`;
}

/** What else there is to try, where operators and a clock are there for it. */
function furtherSteps() {
  return html`<li>
      <h2>Lose everything</h2>
      <p>Follow “Lost everything?” where the second step is asked for. In the outbox there is a clock to move on.</p>
    </li>
    <li>
      <h2>Call the help desk</h2>
      <p>
        Two operators help you: log in as ${Object.keys(DEMO_OPERATORS).join(" and ")} in profiles of their own. The
        password is “${DEMO_PASSWORD}”.
      </p>
    </li>
    <li>
      <h2>Verify the trail</h2>
      <p>The help desk shows whether anybody has changed what was written down of all this.</p>
    </li>`;
}

export function homePage(req) {
  const start = req.user
    ? html`<a class="button" href="/account">Go to your account</a>`
    : html`<a class="button" href="/register">Create an account</a> <a class="button quiet" href="/login">Log in</a>`;
  return page(
    req,
    "Welcome",
    html`<section class="hero">
      <h1>A login, and a second step after it</h1>
      <p class="lead">
        An ordinary Express application with Passport. Its login form and its guards were there before; one added line
        asks for a passkey, or for a code from your phone.
      </p>
      <p class="actions">${start}</p>
      <ol class="tour">
        <li>
          <h2>Register</h2>
          <p>Any address will do: mails stay in the outbox.</p>
        </li>
        <li>
          <h2>Add a passkey or an app</h2>
          <p>Under “Two-step sign-in”: a touch, or a QR code to scan. Or codes by e-mail and text message.</p>
          <p>In a second browser, or another profile of this one, “Approve on this device” adds that browser.</p>
        </li>
        <li>
          <h2>Log out and in again</h2>
          <p>Now the password alone opens nothing.</p>
        </li>
        ${req.app.locals.hasOperators ? furtherSteps() : ""}
      </ol>
    </section>`,
  );
}

export function registerPage(req, { email, problem } = {}) {
  const isWrong = problem !== undefined;
  return page(
    req,
    "Create an account",
    html`<section class="card narrow">
      <h1>Create an account</h1>
      <form class="form" method="post" action="/register">
        ${alert(problem)}
        ${field({
          name: "email",
          label: "E-mail address",
          type: "email",
          autocomplete: "username",
          value: typeof email === "string" ? email : "",
          isWrong,
        })}
        ${field({
          name: "password",
          label: "Password",
          type: "password",
          autocomplete: "new-password",
          hint: "At least 8 characters.",
          isWrong,
        })}
        <button class="button">Create account</button>
      </form>
      <p class="hint">Have an account? <a href="/login">Log in</a></p>
    </section>`,
  );
}

const LOGIN_PROBLEMS = {
  "": "Address and password do not belong together.",
  passkey: "That passkey opens no account here. Log in with your password.",
};

export function loginPage(req, { failed }) {
  const isWrong = failed === "";
  return page(
    req,
    "Log in",
    html`<section class="card narrow">
      <h1>Log in</h1>
      <form class="form" method="post" action="/login">
        ${alert(LOGIN_PROBLEMS[failed])}
        ${field({ name: "email", label: "E-mail address", type: "email", autocomplete: "username webauthn", isWrong })}
        ${field({
          name: "password",
          label: "Password",
          type: "password",
          autocomplete: "current-password",
          isWrong,
        })}
        <button class="button">Log in</button>
      </form>
      <form class="form or" id="passkey-form" method="post" action="/login/passkey" hidden>
        <p class="notice" id="passkey-problem" role="alert" hidden>
          No passkey was used. Try again, or log in with your password.
        </p>
        <button class="button quiet">Sign in with a passkey</button>
      </form>
      <p class="hint">No account yet? <a href="/register">Register</a></p>
    </section>`,
    "/passkeys.js",
  );
}

const STATUS = {
  "not-enrolled": "Password only",
  verified: "With two factors",
  "trusted-device": "Password, on a browser you trust",
};

/** Not every login that is complete has proved two factors. */
function inShort({ actor, amr, status }) {
  if (actor !== undefined) return "Not by its owner: support acts for them";
  return amr.includes("temporary-pass") ? "Password, and a temporary pass" : (STATUS[status] ?? status);
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** @param {string} time ISO 8601 */
export function moment(time) {
  return html`<time datetime="${time}">${MOMENT.format(new Date(time))} UTC</time>`;
}

/** One line of a `<dl>`. */
export function fact(name, value) {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

export function accountPage(req) {
  const { status, amr, enrolled, verifiedAt } = req.secondFactor;
  const none = html`<span class="none">none</span>`;
  const invitation = html`<p class="notice">Your password alone opens this account. Add a second step.</p>`;
  return page(
    req,
    "Your account",
    html`<section class="card">
      <h1>Your account</h1>
      <p class="lead">${req.user.email}</p>
      ${enrolled ? "" : invitation}
      <p class="actions">
        <a class="button" href="/2fa/settings">${enrolled ? "Two-step sign-in" : "Set up two-step sign-in"}</a>
      </p>
      <h2>How you signed in</h2>
      <p class="hint">As the application sees it, in <code>req.secondFactor</code>.</p>
      <dl>
        <div>
          <dt>In short</dt>
          <dd>${inShort(req.secondFactor)}</dd>
        </div>
        <div>
          <dt><code>status</code></dt>
          <dd><code>${status}</code></dd>
        </div>
        <div>
          <dt><code>amr</code></dt>
          <dd>${amr.length > 0 ? html`<code>${amr.join(", ")}</code>` : none}</dd>
        </div>
        <div>
          <dt><code>verifiedAt</code></dt>
          <dd>${verifiedAt ? html`<time>${MOMENT.format(verifiedAt)} UTC</time>` : none}</dd>
        </div>
      </dl>
    </section>`,
  );
}

const INVOICES = [
  { number: "2026-003", what: "Anvils, large", amount: "€ 1,240.00" },
  { number: "2026-002", what: "Rocket skates, one pair", amount: "€ 389.90" },
  { number: "2026-001", what: "Portable holes, box of six", amount: "€ 96.00" },
];

export function invoicesPage(req) {
  const rows = INVOICES.map(
    ({ number, what, amount }) =>
      html`<tr>
        <th scope="row">${number}</th>
        <td>${what}</td>
        <td class="amount">${amount}</td>
      </tr>`,
  );
  return page(
    req,
    "Invoices",
    html`<section class="card">
      <h1>Invoices</h1>
      <p class="lead">Only for those who are fully signed in.</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col">For</th>
            <th scope="col" class="amount">Amount</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </section>`,
  );
}

export function transferPage(req, { problem } = {}) {
  const { amount = "", recipient = "" } = req.session.transfer ?? {};
  const isWrong = problem !== undefined;
  return page(
    req,
    "Transfer",
    html`<section class="card narrow">
      <h1>Transfer money</h1>
      <p class="lead">Each transfer is confirmed with your second factor: this amount, to this recipient, once.</p>
      ${amount && !isWrong ? html`<p class="notice">Check it once more, then send it.</p>` : ""}
      <form class="form" method="post" action="/transfer">
        ${alert(problem)}
        ${field({ name: "amount", label: "Amount in EUR", type: "text", autocomplete: "off", value: amount, isWrong })}
        ${field({ name: "recipient", label: "Recipient", type: "text", autocomplete: "off", value: recipient, isWrong })}
        <button class="button">Send</button>
      </form>
    </section>`,
  );
}

export function messagePage(req, title, text) {
  return page(
    req,
    title,
    html`<section class="card narrow">
      <h1>${title}</h1>
      <p class="lead">${text}</p>
      <p class="actions"><a class="button" href="/">Go to the start page</a></p>
    </section>`,
  );
}
