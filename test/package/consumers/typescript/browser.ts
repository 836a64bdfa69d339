import {
  enrollPushDevice,
  type EnrollPushResult,
  type EnrollResult,
  pushDevices,
  signalAccepted,
  signInWithPasskey,
  type SignInResult,
  upgradeToPasskey,
} from "express-second-factor/browser";

export async function signIn(form: HTMLFormElement, signal: AbortSignal): Promise<SignInResult["status"]> {
  const { status } = await signInWithPasskey({ base: "/2fa", form, signal });
  return status;
}

export const upgrade = (): Promise<EnrollResult> => upgradeToPasskey({ base: "/2fa", label: "This browser" });

export const tell = (): Promise<boolean> =>
  signalAccepted({ rpId: "acme.example", userId: "AAAA", credentialIds: ["AAAA"] });

export const approver = (form: HTMLFormElement): Promise<EnrollPushResult> => enrollPushDevice({ base: "/2fa", form });

export async function waiting(): Promise<number> {
  const [device] = await pushDevices({ base: "/2fa" });
  const answer = await device?.requests();
  return answer?.status === "listed" ? answer.requests.length : 0;
}
