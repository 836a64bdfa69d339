/* global document */
// The login page: a button for passkeys, and passkeys in the autofill of the address.
import { passkeySupport, signInWithPasskey } from "/passkeys/index.js";

const form = document.querySelector("#passkey-form");
const problem = document.querySelector("#passkey-problem");
const base = "/2fa";

/** Waits in the autofill until somebody chooses a passkey there, or presses the button. */
function offerInAutofill() {
  return signInWithPasskey({ base, form, conditional: true });
}

async function signIn(event) {
  event.preventDefault();
  problem.hidden = true;
  const { status } = await signInWithPasskey({ base, form });
  if (status === "submitted") return;
  problem.hidden = false;
  await offerInAutofill();
}

const { available, autofill } = await passkeySupport();
if (available) {
  form.hidden = false;
  form.addEventListener("submit", signIn);
}
if (autofill) await offerInAutofill();
