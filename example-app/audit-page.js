// What the verifier says of the audit trail.
import { basename, dirname, join } from "node:path";
import { html } from "hono/html";
import { fact, moment, page } from "./views.js";

const place = ({ file, line }) => html`${basename(file)}, line ${line}`;

/** In the words of the verifier, which hold nothing of what is in the file. */
function found(problems) {
  const [first, ...others] = problems;
  if (first === undefined) {
    return html`<p class="verdict good">
      <strong>Complete.</strong> Nothing was taken out, put in, moved or changed.
    </p>`;
  }
  return html`<p class="verdict bad" role="alert">
      <strong>Not complete.</strong> The first place is ${place(first)}: ${first.text}.
    </p>
    ${others.map((other) => html`<p class="hint">And ${place(other)}: ${other.text}.</p>`)}`;
}

export function auditPage(req, { anchors, chains, notes, problems }, file) {
  const sum = (member) => chains.reduce((total, chain) => total + chain[member], 0);
  const from = chains.map((chain) => chain.from).sort()[0];
  const until = chains
    .map((chain) => chain.until)
    .sort()
    .at(-1);
  return page(
    req,
    "Audit trail",
    html`<section class="card">
      <h1>Audit trail</h1>
      <p class="lead">
        Each record is sealed over the one before. This is what the verifier says of the file just now.
      </p>
      ${found(problems)}
      <dl>
        ${fact("Records as they were written", sum("records"))}
        ${fact("Written by", `${chains.length} ${chains.length === 1 ? "process" : "processes"}`)}
        ${from ? fact("From", moment(from)) : ""} ${until ? fact("Until", moment(until)) : ""}
        ${fact("Events there was no room for", sum("lost"))} ${fact("Anchors it was compared with", anchors)}
      </dl>
      ${
        notes.length > 0
          ? html`<h2>No damage, but to be known</h2>
              <ul class="notes">
                ${notes.map((note) => html`<li>${place(note)}: ${note.text}.</li>`)}
              </ul>`
          : ""
      }
      <p class="hint">
        To see it find something, change a character in <code>${file}</code>, or take a line out, and look again. On the
        command line:
        <code>npx express-second-factor verify-audit --key ${join(dirname(file), "audit-key")} ${file}</code>.
      </p>
      <p class="actions">
        <a class="button quiet" href="/desk/audit">Look again</a>
        <a class="button quiet" href="/desk">Back to the desk</a>
      </p>
    </section>`,
  );
}
