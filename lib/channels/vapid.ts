import { urlIn } from "../core/urls.js";
import { isMailAddress } from "../core/mail-address.js";
import { optionsProblems } from "../core/option-names.js";
import { publicPointOf } from "../crypto/public-keys.js";
import { isPoint } from "./browser-subscription.js";

/** By which push services know who sends (RFC 8292). */
export interface VapidDetails {
  /**
   * Where a push service reaches you when something goes wrong: `mailto:` and an address, or an `https:` address of a page. Every service
   * reads it. Not at `localhost`: Apple's answers 403 to that.
   */
  readonly subject: string | undefined;
  /** P-256, uncompressed, base64url: 87 characters. Browsers are given it, and each subscription is bound to it. */
  readonly publicKey: string | undefined;
  /** Base64url: 43 characters. Kept as secret as `keys`: whoever has it can wake your users' devices. */
  readonly privateKey: string | undefined;
}

const MEMBERS = ["subject", "publicKey", "privateKey"] satisfies (keyof VapidDetails)[];
const PRIVATE = /^[A-Za-z0-9_-]{43}$/;
const MEND = "npx web-push generate-vapid-keys makes a pair";

/** What a variable of the environment is that is not set, or is empty: no other value is repeated. */
function missing(given: unknown): string {
  if (given === "") return ", and is empty";
  return given === undefined || given === null ? `, and is ${String(given)}` : "";
}

function isLocal(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

function isSubject(subject: unknown): boolean {
  if (typeof subject !== "string") return false;
  const mail = /^mailto:(.*)$/.exec(subject)?.[1];
  // No display name and no blank: Apple refuses both, as it does localhost, which is no domain of a mail's either.
  if (mail !== undefined) return isMailAddress(mail);
  const page = /^https:\/\/\S+$/.test(subject) ? urlIn(subject) : undefined;
  return page !== undefined && !isLocal(page.hostname);
}

/** Undefined where it is none. */
function pointFor(privateKey: unknown): string | undefined {
  if (typeof privateKey !== "string" || !PRIVATE.test(privateKey)) return undefined;
  const point = publicPointOf(Buffer.from(privateKey, "base64url"));
  return point && Buffer.from(point).toString("base64url");
}

function pairProblems({ publicKey, privateKey }: Readonly<Record<string, unknown>>, where: string): string[] {
  const [isPublic, point] = [isPoint(publicKey), pointFor(privateKey)];
  if (isPoint(privateKey) && pointFor(publicKey) === privateKey) {
    return [`${where}publicKey and privateKey stand in each other's place: exchange them`];
  }
  if (isPublic && point !== undefined) {
    return point === publicKey ? [] : [`${where}publicKey and privateKey are not of one pair: ${MEND}`];
  }
  const noPoint = `${where}publicKey must be a point on P-256, 65 bytes as 87 characters of base64url: ${MEND}${missing(publicKey)}`;
  const noNumber = `${where}privateKey must be a number of P-256, 32 bytes as 43 characters of base64url: ${MEND}${missing(privateKey)}`;
  return [...(isPublic ? [] : [noPoint]), ...(point === undefined ? [noNumber] : [])];
}

/** What is wrong with them, all at once. No value is repeated. `where`: `webPush: vapid`. */
export function vapidProblems(given: unknown, where: string): string[] {
  if (typeof given !== "object" || given === null) {
    return [`${where} is { subject: "mailto:security@acme.example", publicKey, privateKey }: ${MEND}`];
  }
  const details = given as Readonly<Record<string, unknown>>;
  return [
    ...optionsProblems(given, MEMBERS, `${where}: `),
    ...(isSubject(details["subject"])
      ? []
      : [
          `${where}.subject must be "mailto:" and one address, or an https address, and not at localhost: push services write there, and Apple's refuses others${missing(details["subject"])}`,
        ]),
    ...pairProblems(details, `${where}.`),
  ];
}
