// What the built-in pages do more comfortably with a script. All of them work without it, and every word stands in the page.

import { signalPasskeys, wirePasskeys } from "./page-passkeys.js";
import { wireApproving } from "./page-push-approve.js";
import { wireEnrollment } from "./page-push-enroll.js";
import { wireWaiting } from "./page-push-wait.js";

const BUSY_MS = 8_000;
const STATUS_MS = 4_000;

function all<E extends Element>(selector: string): E[] {
  return [...document.querySelectorAll<E>(selector)];
}

/** Tells what a button did, to eyes and to screen readers. */
function announce(button: HTMLElement, outcome: "copied" | "notCopied"): void {
  const status = button.parentElement?.querySelector<HTMLElement>("[role=status]");
  if (!status) return;
  status.textContent = status.dataset[outcome] ?? "";
  setTimeout(() => (status.textContent = ""), STATUS_MS);
}

async function copy(button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(button.dataset["copy"] ?? "");
    announce(button, "copied");
  } catch {
    // No permission, or a page that was not served over HTTPS.
    announce(button, "notCopied");
  }
}

function download(button: HTMLElement): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([button.dataset["text"] ?? ""], { type: "text/plain;charset=utf-8" }));
  link.download = button.dataset["download"] ?? "";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), BUSY_MS);
}

function wireButtons(): void {
  for (const button of all<HTMLElement>("[data-copy]")) button.addEventListener("click", () => void copy(button));
  for (const button of all<HTMLElement>("[data-download]")) button.addEventListener("click", () => download(button));
  for (const button of all<HTMLElement>("[data-print]")) button.addEventListener("click", () => window.print());
  for (const part of all<HTMLElement>("[data-script]")) part.hidden = false;
}

/** "123 456", or a whole message with a code in it: the digits stay. */
function tidyPastedDigits(): void {
  // Some fields come later than the page.
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || target.dataset["digits"] === undefined) return;
    if (event instanceof InputEvent && event.inputType === "insertFromPaste") {
      target.value = target.value.replace(/[^0-9]/g, "");
    }
  });
}

function release(form: HTMLFormElement): void {
  delete form.dataset["busy"];
}

/** A second click while the first is on its way would spend the code, and then call it wrong. */
function guardDoubleSubmit(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    if (form.dataset["busy"] !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset["busy"] = "";
    setTimeout(() => release(form), BUSY_MS);
  });
  window.addEventListener("pageshow", () => all<HTMLFormElement>("form[data-busy]").forEach(release));
}

/** Codes that are shown once: the browser asks before the page is left without having said they are saved. */
function keepUntilSaved(): void {
  for (const form of all<HTMLFormElement>("form[data-keep]")) {
    window.addEventListener("beforeunload", (event) => {
      if (!form.checkValidity()) event.preventDefault();
    });
  }
}

/** The visitor's own way to write times, as long as it is in the language of the page. */
function ownLocale(): string {
  const page = document.documentElement.lang || "en";
  const language = page.split("-")[0];
  return navigator.languages.find((locale) => locale.split("-")[0] === language) ?? page;
}

function localizeTimes(): void {
  const locale = ownLocale();
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" } as const;
  const zoned = new Intl.DateTimeFormat(locale, { ...parts, timeZoneName: "short" });
  for (const element of all<HTMLTimeElement>(".sf time")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime())) continue;
    element.title = element.textContent;
    element.textContent = (element.dataset["zone"] === undefined ? format : zoned).format(time);
  }
}

wireButtons();
wirePasskeys();
wireWaiting();
wireEnrollment();
wireApproving();
tidyPastedDigits();
guardDoubleSubmit();
keepUntilSaved();
localizeTimes();
signalPasskeys();
