import { urlIn } from "../core/urls.js";
import { optionsProblems } from "../core/option-names.js";
import { isRsaKey } from "../crypto/rsa-signatures.js";
import type { FirebaseOptions } from "./firebase.js";

type Given = Readonly<Record<string, unknown>>;

const OPTIONS = ["serviceAccount", "alert", "endpoint", "fetch", "clock"] satisfies (keyof FirebaseOptions)[];
const ALERT = ["title", "body"];
/** 6 to 30 of lower-case letters, digits and hyphens; old ones have a domain before it. */
const PROJECT = /^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const ACCOUNT = "the service account's JSON file: Firebase console, Project settings, Service accounts";

function asGiven(value: unknown): Given {
  return Object(value) as Given;
}

/** Of another server, over TLS; of this machine, as it is in tests. */
function isServer(value: unknown): boolean {
  const url = typeof value === "string" ? urlIn(value) : undefined;
  if (url === undefined) return false;
  const { hash, hostname, password, protocol, search, username } = url;
  if (`${hash}${search}${username}${password}` !== "") return false;
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
}

function keyProblem(key: unknown): string | undefined {
  if (typeof key === "string" && isRsaKey(key)) return undefined;
  if (typeof key === "string" && key.includes(String.raw`\n`)) {
    return String.raw`its line breaks are written out: give private_key.replaceAll("\\n", "\n"), or JSON.parse the whole file`;
  }
  return `must be the private RSA key (PEM, 2048 bits or more) in ${ACCOUNT}`;
}

interface Member {
  readonly name: string;
  readonly isRight: (value: unknown) => boolean;
  readonly mend: string;
}

function isLike(shape: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && shape.test(value);
}

const MEMBERS: readonly Member[] = [
  {
    name: "project_id",
    isRight: isLike(PROJECT),
    mend: `the project's id ("acme-12ab3"), and neither its name nor its number`,
  },
  {
    name: "client_email",
    isRight: isLike(EMAIL),
    mend: `the account's address ("…@….iam.gserviceaccount.com")`,
  },
  {
    name: "token_uri",
    isRight: (value) => value === undefined || isServer(value),
    mend: "an https URL: leave it out for Google's",
  },
];

function accountProblems(account: unknown): string[] {
  const where = "firebase: serviceAccount";
  if (typeof account === "string") return [`${where} must be what is in the file: JSON.parse(text)`];
  if (typeof account !== "object" || account === null) return [`${where} must be what is in ${ACCOUNT}`];
  const given = asGiven(account);
  const key = keyProblem(given["private_key"]);
  return [
    ...MEMBERS.filter(({ isRight, name }) => !isRight(given[name])).map(
      ({ mend, name }) => `${where}.${name} must be ${mend}`,
    ),
    ...(key === undefined ? [] : [`${where}.private_key: ${key}`]),
  ];
}

function alertProblems(alert: unknown): string[] {
  if (alert === undefined) return [];
  const odd = ALERT.filter((name) => typeof asGiven(alert)[name] !== "string" || asGiven(alert)[name] === "");
  return [
    ...optionsProblems(alert, ALERT, "firebase: alert: "),
    ...odd.map((name) => `firebase: alert.${name} must be text that an iPhone shows: { title: "Acme", body: "…" }`),
  ];
}

function isCallable(value: unknown): boolean {
  return value === undefined || typeof value === "function";
}

/** Everything wrong with what `firebase()` was given; nothing of it is repeated. */
export function firebaseProblems(options: unknown): string[] {
  const { alert, clock, endpoint, fetch, private_key, serviceAccount } = asGiven(options);
  if (private_key !== undefined) return ["firebase: the service account is one of the options: { serviceAccount }"];
  return [
    ...optionsProblems(options, OPTIONS, "firebase: "),
    ...accountProblems(serviceAccount),
    ...alertProblems(alert),
    ...(endpoint === undefined || isServer(endpoint)
      ? []
      : ["firebase: endpoint must be an https URL, or one of this machine in tests: leave it out for Google's"]),
    ...(isCallable(fetch) ? [] : ["firebase: fetch must be a function as Node's fetch is"]),
    ...(isCallable(clock) ? [] : ["firebase: clock must be a function that answers milliseconds since the epoch"]),
  ];
}
