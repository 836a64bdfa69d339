// The pages of the help desk.
import { html } from "hono/html";
import { fact, field, moment, page, said } from "./views.js";

const OPERATIONS = { pass: "Temporary pass", reset: "Reset of all second factors" };

function waiting(req, { id, operation, userId, email, actor, reason, expiresAt }) {
  const isOwn = actor === req.user.operator || userId === req.user.id;
  // What lets somebody in once does not look like what takes everything away.
  const button =
    operation === "reset"
      ? html`<button class="button danger">Remove every second factor of ${email}</button>`
      : html`<button class="button">Approve for ${email}</button>`;
  const approve = html`<form method="post" action="/desk/approvals/${id}">${button}</form>`;
  return html`<li class="entry">
    <h3>${OPERATIONS[operation]} for ${email}</h3>
    <p class="hint">Asked for by ${actor}: “${reason}”. Until ${moment(expiresAt)}.</p>
    ${isOwn ? html`<p class="hint">Another operator has to approve it.</p>` : approve}
  </li>`;
}

function lookUpForm({ email = "", reason = "", problem }) {
  const common = (name, value) => ({ name, value, autocomplete: "off", isWrong: problem?.field === name });
  const who = { ...common("email", String(email)), type: "email", label: "Who calls", hint: "Their e-mail address." };
  const hint = "For the audit trail, such as: Lost phone, ticket 4711.";
  const why = { ...common("reason", String(reason)), type: "text", label: "Why", hint };
  return html`<form class="form" method="post" action="/desk">
    ${said(problem && { ...problem, kind: "alert" })} ${field(who)} ${field(why)}
    <button class="button">Look up</button>
  </form>`;
}

export function deskPage(req, { said: news, requests, hasTrail, ...filledIn }) {
  return page(
    req,
    "Help desk",
    html`<div class="stack">
      <section class="card">
        <h1>Help desk</h1>
        <p class="lead">
          You are ${req.user.operator}. What you do here is written down, and users are told what was done.
        </p>
        ${said(news)} ${lookUpForm(filledIn)}
      </section>
      <section class="card">
        <h2>Waiting for a second operator</h2>
        ${
          requests.length === 0
            ? html`<p class="hint">Nothing.</p>`
            : html`<ol class="entries">
                ${requests.map((request) => waiting(req, request))}
              </ol>`
        }
      </section>
      ${
        hasTrail
          ? html`<section class="card">
              <h2>Audit trail</h2>
              <p class="hint">Everything that happens is in a file, and the file says whether it was changed.</p>
              <p class="actions"><a class="button quiet" href="/desk/audit">Verify the trail</a></p>
            </section>`
          : ""
      }
    </div>`,
  );
}

function factorLine({ label, hint, type, lastUsedAt }) {
  const used = lastUsedAt === null ? "never used" : html`last used ${moment(lastUsedAt)}`;
  return fact(html`${label} ${hint ?? ""} <code>${type}</code>`, used);
}

/** A form that is a button. */
function action(path, name, text, look = "quiet") {
  return html`<form method="post" action="${path}/${name}">
    <button class="button ${look}">${text}</button>
  </form>`;
}

function callerCheck({ check, path }, wrongNumber) {
  if (check?.doneAt !== undefined) {
    return html`<p class="notice" role="status">
        That is the number: on ${moment(check.doneAt)} the caller was signed in to this account with its second factor.
      </p>
      ${action(path, "caller-check", "Begin another check")}`;
  }
  if (check === undefined) {
    return html`${said(wrongNumber)}
      <p class="hint">
        Somebody who is still signed in somewhere can read a number out. Only for whoever has called you.
      </p>
      ${action(path, "caller-check", "Begin a check", "")}`;
  }
  const number = { name: "number", type: "text", autocomplete: "off", inputmode: "numeric" };
  return html`<p class="hint">
      Ask the caller to open “Two-step sign-in” where they are signed in, to press “Show the number”, and to read it
      out. Until ${moment(check.expiresAt)}.
    </p>
    <form class="form" method="post" action="${path}/caller-check/number">
      ${said(wrongNumber)} ${field({ ...number, label: "What they read out", isWrong: wrongNumber !== undefined })}
      <button class="button">Check the number</button>
    </form>
    ${action(path, "caller-check", "Begin another check")}`;
}

export function casePage(req, { person, open: { reason, check }, status, factors, said: news }) {
  const path = `/desk/users/${person.id}`;
  const wrongNumber = news?.field === "number" ? news : undefined;
  const { backupCodesRemaining, disabled, enrolled, frozenUntil } = status;
  return page(
    req,
    `Help desk: ${person.email}`,
    html`<div class="stack">
      <section class="card">
        <h1>${person.email}</h1>
        <p class="lead">${reason}</p>
        ${wrongNumber ? "" : said(news)}
        <dl>
          ${fact("Second factor", enrolled ? "set up" : "none")} ${factors.map(factorLine)}
          ${fact("Backup codes left", backupCodesRemaining)}
          ${disabled.length > 0 ? fact("Closed by wrong answers", disabled.length) : ""}
          ${frozenUntil ? fact("Changes are frozen until", moment(frozenUntil)) : ""}
        </dl>
        <p class="actions"><a class="button quiet" href="/desk">Back to the desk</a></p>
      </section>
      <section class="card">
        <h2 id="line">1. Who is on the line?</h2>
        ${callerCheck({ check, path }, wrongNumber)}
      </section>
      <section class="card">
        <h2>2. Let them in once</h2>
        <p class="hint">
          A temporary pass stands in for the second factor until they have set up another. It is good for 30 minutes and
          once; another operator approves it, and is given the code.
        </p>
        ${action(path, "pass", "Ask for a temporary pass", "")}
      </section>
      <section class="card">
        <h2>Something else</h2>
        <p class="hint">For when somebody else than the user has asked to recover the account.</p>
        ${action(path, "cancel-recovery", "Stop a recovery")}
        <p class="hint">
          See what they see, for an hour at most. It takes the place of your own login: afterwards you log in again.
          They are told.
        </p>
        ${action(path, "act", "Act for them")}
        <details>
          <summary>Remove every second factor</summary>
          <p class="hint">
            From then on the password alone opens the account, for whoever has it. A temporary pass is better. Another
            operator has to approve it.
          </p>
          ${action(path, "reset", "Ask for a reset", "danger")}
        </details>
      </section>
    </div>`,
  );
}

export function passPage(req, { email, code, expiresAt, actor, reason }) {
  return page(
    req,
    "Temporary pass",
    html`<section class="card narrow">
      <h1>Temporary pass for ${email}</h1>
      <p class="lead">Read it out to the caller, and write it down nowhere: it is shown this once.</p>
      <p class="pass"><code>${code}</code></p>
      <p class="hint">
        They log in with their password and follow “I have a temporary pass”. Good until ${moment(expiresAt)}, once.
        Asked for by ${actor}: “${reason}”.
      </p>
      <p class="actions"><a class="button quiet" href="/desk">Back to the desk</a></p>
    </section>`,
  );
}
