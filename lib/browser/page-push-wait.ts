// The page of whoever asked: it asks for the answer now and then, and is sent by itself once there is one.

import { fetchInTime } from "./page-forms.js";

/** Milliseconds. */
const FIRST = 2_000;
const LONGEST = 30_000;
/** No request is open for so long: whatever kept its end from being heard, the form itself asks then. Counted here, for clocks differ. */
const GIVEN_UP = 300_000;

interface Answer {
  /** Absent: nobody knows. */
  readonly state?: string;
  /** Milliseconds until it may be asked again, where the server says so. */
  readonly after?: number;
}

function afterOf({ headers }: Response): Pick<Answer, "after"> {
  const seconds = Number(headers.get("Retry-After") ?? "");
  return seconds > 0 ? { after: seconds * 1_000 } : {};
}

/** What the form would be answered, without anything coming of it. What only its own page can tell is over here. */
async function peek({ action, dataset, elements }: HTMLFormElement): Promise<Answer> {
  const requestId = (elements.namedItem("requestId") as HTMLInputElement).value;
  const { operation } = dataset;
  try {
    const response = await fetchInTime(action, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ requestId, peek: true, ...(operation ? { operation } : {}) }),
    });
    if (response.status === 429 || response.status >= 500) return afterOf(response);
    const { state } = response.ok ? ((await response.json()) as Answer) : {};
    return { state: state ?? "over", ...afterOf(response) };
  } catch {
    // No network: it may be back the next time.
    return {};
  }
}

/** Asks as long as the page is looked at and the request is open. */
class Waiting {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAsking = false;
  private failures = 0;
  private readonly begun = performance.now();

  constructor(private readonly form: HTMLFormElement) {}

  begin(): void {
    this.tell(true);
    document.addEventListener("visibilitychange", () => {
      this.next(0);
    });
    // The page comes back as it was left, its form sent once.
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this.next(0);
    });
    this.next(FIRST);
  }

  private next(delay: number): void {
    clearTimeout(this.timer);
    if (document.hidden) return;
    this.timer = setTimeout(() => void this.ask(), delay);
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    // The button was pressed: the page that comes of it asks on, or this one, where none comes.
    if (this.form.dataset["busy"] !== undefined) {
      this.next(FIRST);
      return;
    }
    if (performance.now() - this.begun > GIVEN_UP) {
      this.form.requestSubmit();
      return;
    }
    this.isAsking = true;
    const { after, state } = await peek(this.form);
    this.isAsking = false;
    if (state !== undefined && state !== "waiting") {
      this.form.requestSubmit();
      return;
    }
    this.failures = state === undefined ? this.failures + 1 : 0;
    this.tell(state !== undefined);
    this.next(after ?? Math.min(FIRST * 2 ** this.failures, LONGEST));
  }

  private tell(isHeard: boolean): void {
    const status = this.form.querySelector<HTMLElement>("[role=status]");
    const text = this.form.dataset[isHeard ? "waiting" : "unreachable"] ?? "";
    if (status === null || status.textContent === text) return;
    status.hidden = false;
    status.textContent = text;
  }
}

export function wireWaiting(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-push-wait=waiting]")) {
    new Waiting(form).begin();
  }
}
