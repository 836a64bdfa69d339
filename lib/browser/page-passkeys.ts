import { enrollPasskey, type EnrollResult, upgradeToPasskey } from "./enrollment.js";
import { setBusy, STALE, tell, textIn } from "./page-forms.js";
import { signInWithPasskey, type SignInResult } from "./passkeys.js";
import { signalAccepted, signalUserDetails } from "./signals.js";

type Result = SignInResult | EnrollResult;

function perform(form: HTMLFormElement): Promise<Result> {
  const { base = "", passkey } = form.dataset;
  if (passkey === "get") {
    const operation = textIn(form, "operation");
    return signInWithPasskey({ base, form, ...(operation === undefined ? {} : { operation }) });
  }
  const password = textIn(form, "password");
  return enrollPasskey({ base, form, ...(password === undefined ? {} : { password }) });
}

/** The sentence for what came of it. */
function sentence({ dataset }: HTMLFormElement, result: Result): string | undefined {
  if (result.status === "cancelled") return dataset["cancelled"];
  if (result.status === "unsupported") return dataset["unsupported"];
  if (result.status !== "refused") return undefined;
  const { code, detail } = result.problem;
  if (code === "conflict" && detail === undefined) return dataset["conflict"];
  if (code === "step-up-required" && dataset["password"] !== undefined) return dataset["password"];
  return detail ?? dataset["failed"];
}

async function run(form: HTMLFormElement): Promise<void> {
  if (form.dataset["busy"] !== undefined) return;
  tell(form, undefined);
  setBusy(form, true);
  const { failed = "", stepUp } = form.dataset;
  const result = await perform(form).catch((): Result => ({
    status: "refused",
    problem: { code: "unavailable", detail: failed },
  }));
  if (result.status === "submitted") return;
  if (result.status === "refused" && stepUp !== undefined && STALE.includes(result.problem.code)) {
    window.location.assign(stepUp);
    return;
  }
  setBusy(form, false);
  tell(form, sentence(form, result));
}

function openForm(form: HTMLFormElement): void {
  form.hidden = false;
  form.querySelector<HTMLElement>("[data-first]")?.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(form);
  });
  if (!isOffer(form)) return;
  // What comes of it is the password manager's affair alone. Meanwhile the form is open, and takes its place when it is used.
  upgradeToPasskey({ base: form.dataset["base"] ?? "", form }).catch(() => undefined);
}

function isOffer({ dataset }: HTMLFormElement): boolean {
  return dataset["silent"] !== undefined;
}

/** Opens the forms that take a passkey, where the browser can give one; an offer that nobody could take up is passed over. */
export function wirePasskeys(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    const without = form.parentElement?.querySelector<HTMLElement>("[data-without]");
    const canPasskeys = typeof PublicKeyCredential === "function";
    if (without && canPasskeys) without.hidden = true;
    else if (without) without.textContent = form.dataset["unsupported"] ?? "";
    if (canPasskeys) openForm(form);
    else if (isOffer(form)) document.querySelector<HTMLElement>("[data-later]")?.click();
  }
}

/** Tells the browser's password managers which passkeys are in force, and the account's name, wherever a page carries them. */
export function signalPasskeys(): void {
  const element = document.querySelector<HTMLElement>("[data-rp-id]");
  if (!element) return;
  const { credentialIds = "", rpId = "", userId = "", userName: name = "" } = element.dataset;
  void signalAccepted({ rpId, userId, credentialIds: credentialIds.split(" ").filter((id) => id !== "") });
  void signalUserDetails({ rpId, userId, name });
}
