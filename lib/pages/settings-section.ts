import { type Html, html, type HtmlValue } from "./html.js";
import { icon, type Icon } from "./icons.js";

/** One card of the settings page. `name` makes the ids of the page differ. */
export function section(name: string, title: string, lead: string, content: HtmlValue): Html {
  return html`<section class="sf-card" aria-labelledby="sf-${name}">
    <h2 id="sf-${name}">${title}</h2>
    <p class="sf-hint">${lead}</p>
    ${content}
  </section>`;
}

/** What stands where a list has nothing to show. */
export function emptyState(text: string): Html {
  return html`<p class="sf-empty">${text}</p>`;
}

export interface Row {
  readonly icon: Icon;
  readonly label: string;
  /** A word that sets this row apart, such as "This browser". */
  readonly badge?: string | false | undefined;
  /** What is false or undefined is left out. */
  readonly facts: readonly (Html | string | false | undefined)[];
  readonly actions?: HtmlValue;
}

export function row({ icon: drawing, label, badge, facts, actions }: Row): Html {
  return html`<li class="sf-row">
    ${icon(drawing)}
    <div class="sf-row-text">
      <p class="sf-row-label"><strong>${label}</strong> ${badge && html`<span class="sf-badge">${badge}</span>`}</p>
      <p class="sf-facts">
        ${facts.filter((fact) => fact !== undefined && fact !== false).map((fact) => html`<span>${fact}</span> `)}
      </p>
    </div>
    ${actions}
  </li>`;
}
