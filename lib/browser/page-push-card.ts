// One request on the page of a device: what is asked, and the form that answers.

import { partOf } from "./page-forms.js";
import type { PushRequest } from "./push-devices.js";

/** No request is open for longer, seconds. */
const LONGEST = 125;

export type Decision = "approve" | "deny" | "not-me";

function set(card: HTMLElement, part: string, text: string | undefined): void {
  const element = card.querySelector<HTMLElement>(`[data-${part}]`);
  if (element !== null && text !== undefined && text !== "") element.textContent = text;
}

/** Ids are of one page: of several cards each has its own. */
function renameIds(card: HTMLElement, mark: string): void {
  const renamed = (ids: string | null): string => (ids ?? "").replace(/\S+/g, (id) => `${id}-${mark}`);
  for (const name of ["id", "for", "aria-describedby"]) {
    for (const element of card.querySelectorAll(`[${name}]`))
      element.setAttribute(name, renamed(element.getAttribute(name)));
  }
}

export class Card {
  readonly element: HTMLElement;
  /** An answer is on its way. */
  isBusy = false;
  private readonly form: HTMLFormElement;
  private readonly field: HTMLInputElement;

  constructor(
    template: HTMLTemplateElement,
    readonly request: PushRequest,
    mark: string,
    decide: (card: Card, decision: Decision) => void,
  ) {
    this.element = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    renameIds(this.element, mark);
    this.form = this.part("form") as HTMLFormElement;
    this.field = this.part("input") as HTMLInputElement;
    set(this.element, "text", request.text);
    set(this.element, "browser", request.browser);
    set(this.element, "address", request.ip);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      decide(this, "approve");
    });
    this.part("[data-deny]").addEventListener("click", () => {
      decide(this, "deny");
    });
    this.part("[data-not-me]").addEventListener("click", () => {
      decide(this, "not-me");
    });
    this.tick();
  }

  private part(selector: string): HTMLElement {
    return partOf(this.element, selector);
  }

  /** As typed, without white space. */
  get number(): string {
    return this.field.value.replace(/\s/g, "");
  }

  setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    if (isBusy) this.form.dataset["busy"] = "";
    else delete this.form.dataset["busy"];
  }

  /** What is wrong, above the field. `isOfNumber`: with what stands in it. */
  tell(text: string | undefined, isOfNumber: boolean): void {
    const error = this.part("[role=alert]");
    this.part("[role=alert] span").textContent = text ?? "";
    error.hidden = text === undefined;
    this.field.removeAttribute("aria-invalid");
    if (!isOfNumber) return;
    this.field.setAttribute("aria-invalid", "true");
    this.field.select();
    this.field.focus();
  }

  /** Shows the time that is left; nothing where the clock here cannot know it. */
  tick(): void {
    const seconds = Math.round((Date.parse(this.request.expiresAt) - Date.now()) / 1_000);
    if (seconds < 0 || seconds > LONGEST) {
      this.part("[data-left]").textContent = "–";
      return;
    }
    this.part("[data-left]").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  focus(): void {
    this.field.focus();
  }
}
