// The form that makes this browser a device, and what pages say of the devices that this browser is.

import { FALLBACK, STALE, tell, setBusy, textIn } from "./page-forms.js";
import { pushDevices } from "./push-devices.js";
import { enrollPushDevice, type EnrollPushResult } from "./push-enrollment.js";
import { pushSupport, type PushObstacle, subscribeToPush } from "./push-support.js";

/** Which sentence of the form says why no notifications come. */
const SENTENCES: Partial<Record<PushObstacle, string>> = {
  denied: "blocked",
  dismissed: "dismissed",
  "needs-installing": "homeScreen",
};

interface Reach {
  readonly channel?: string;
  readonly subscription?: object;
}

const isSilent = (submitter: HTMLElement | null): boolean => submitter?.dataset["silently"] !== undefined;

/** Says why no notifications come, and offers to go without them. */
function offerSilence(form: HTMLFormElement, obstacle: PushObstacle): void {
  tell(form, form.dataset[SENTENCES[obstacle] ?? "notHere"], false);
  const silently = form.querySelector<HTMLElement>("[data-silently]");
  if (silently !== null) silently.hidden = false;
  // What was not answered can be asked again.
  const main = form.querySelector<HTMLElement>("button:not([data-silently])");
  if (main !== null) main.hidden = obstacle !== "dismissed" && obstacle !== "failed";
}

/** How this browser will be woken; undefined where it cannot be, and its visitor has yet to say that it need not. */
async function reachOf(form: HTMLFormElement, submitter: HTMLElement | null): Promise<Reach | undefined> {
  const { channel, key, worker } = form.dataset;
  if (channel === undefined || key === undefined || worker === undefined || isSilent(submitter)) return {};
  const woken = await subscribeToPush({ worker, applicationServerKey: key });
  if (woken.status === "subscribed") return { channel, subscription: woken.subscription };
  offerSilence(form, woken.obstacle);
  return undefined;
}

async function perform(form: HTMLFormElement, submitter: HTMLElement | null): Promise<EnrollPushResult | undefined> {
  const reach = await reachOf(form, submitter);
  if (reach === undefined) return undefined;
  const [label, password] = [textIn(form, "label"), textIn(form, "password")];
  return enrollPushDevice({
    ...reach,
    base: form.dataset["base"] ?? "",
    form,
    ...(label ? { label } : {}),
    ...(password === undefined ? {} : { password }),
  });
}

/** The sentence for what came of it. */
function sentence({ dataset }: HTMLFormElement, result: EnrollPushResult): string | undefined {
  if (result.status === "unsupported") return dataset["unsupported"];
  if (result.status !== "refused") return undefined;
  const { code, detail } = result.problem;
  return code === "step-up-required" ? (dataset["password"] ?? detail) : (detail ?? dataset["failed"]);
}

async function run(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (form.dataset["busy"] !== undefined) return;
  tell(form, undefined);
  setBusy(form, true);
  const result = await perform(form, submitter).catch(() => FALLBACK);
  if (result?.status === "submitted") return;
  const { stepUp } = form.dataset;
  if (result?.status === "refused" && stepUp !== undefined && STALE.includes(result.problem.code)) {
    window.location.assign(stepUp);
    return;
  }
  setBusy(form, false);
  if (result !== undefined) tell(form, sentence(form, result));
}

/** Something else than the form, where there is nothing to fill in. */
function sayInstead(form: HTMLFormElement, text: string | undefined): void {
  const without = form.parentElement?.querySelector<HTMLElement>("[data-without]");
  if (without) without.textContent = text ?? "";
}

async function openForm(form: HTMLFormElement): Promise<void> {
  const { base = "", here, key, unsupported } = form.dataset;
  const support = await pushSupport();
  if (!support.keys) {
    sayInstead(form, unsupported);
    return;
  }
  const devices = await pushDevices({ base });
  const isKnown = (id: string): boolean => document.querySelector(`[data-push-factor="${CSS.escape(id)}"]`) !== null;
  if (devices.some(({ factorId }) => isKnown(factorId))) {
    sayInstead(form, here);
    return;
  }
  form.parentElement?.querySelector("[data-without]")?.setAttribute("hidden", "");
  form.hidden = false;
  if (key !== undefined && support.obstacle !== undefined) offerSilence(form, support.obstacle);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(form, event.submitter);
  });
}

/** Marks what a page says of the very devices that this browser is: in the settings, and where one of them would be asked. */
async function markOwn(elements: readonly HTMLElement[]): Promise<void> {
  const [first] = elements;
  if (first === undefined) return;
  const own = (await pushDevices({ base: first.dataset["base"] ?? "" })).map(({ factorId }) => factorId);
  for (const element of elements.filter(({ dataset }) => own.includes(dataset["pushFactor"] ?? ""))) {
    for (const part of [element, ...element.querySelectorAll<HTMLElement>("[data-here], [data-elsewhere]")]) {
      if (part.dataset["here"] !== undefined) part.hidden = false;
      if (part.dataset["elsewhere"] !== undefined) part.hidden = true;
    }
  }
}

export function wireEnrollment(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-push-enroll]")) void openForm(form);
  void markOwn([...document.querySelectorAll<HTMLElement>("[data-push-factor]")]);
}
