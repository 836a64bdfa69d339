// What the forms have in common that a script fills in and sends.

/** What only a new proof, or a new login, can mend. */
export const STALE: readonly string[] = ["step-up-required", "second-factor-required", "login-required", "expired"];

/** Whatever a browser throws: the form's own word stands for it. */
export const FALLBACK = { status: "refused", problem: { code: "unavailable" } } as const;

/** Milliseconds until a request that nobody answers has failed. */
const PATIENCE = 20_000;

/** For pages that go on asking: where a connection hangs, they would wait for that one answer for ever. */
export function fetchInTime(...[address, terms]: Parameters<typeof fetch>): Promise<Response> {
  const over = new AbortController();
  setTimeout(() => {
    over.abort();
  }, PATIENCE);
  return fetch(address, { ...terms, signal: over.signal });
}

/** What the form sends in this field; undefined where it has none. */
export function textIn(form: HTMLFormElement, name: string): string | undefined {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : undefined;
}

/** Shows a sentence in the form's own notice; undefined takes it away. `isNews`: it came of what was done just now. Default: true. */
export function tell(form: HTMLFormElement, text: string | undefined, isNews = true): void {
  const alert = form.querySelector<HTMLElement>("[role=alert]");
  const line = alert?.querySelector("p");
  if (!alert || !line) return;
  line.textContent = text ?? "";
  alert.hidden = text === undefined;
  if (text !== undefined && isNews) alert.focus();
}

export function setBusy(form: HTMLFormElement, isBusy: boolean): void {
  const status = form.querySelector("[role=status]");
  if (status) status.textContent = isBusy ? (form.dataset["waiting"] ?? "") : "";
  if (isBusy) form.dataset["busy"] = "";
  else delete form.dataset["busy"];
}

/** A part of the page that stands there, whatever it shows. */
export function partOf(parent: ParentNode, selector: string): HTMLElement {
  const part = parent.querySelector<HTMLElement>(selector);
  if (part === null) throw new Error(`Nothing here is ${selector}`);
  return part;
}
