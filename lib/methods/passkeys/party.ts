import { urlIn } from "../../core/urls.js";
import { getPublicSuffix, parse } from "tldts";
import type { Site } from "../../engine/method.js";

/** Who asks for a ceremony: everything comes from the configuration, nothing from a request's headers. */
export interface RelyingParty {
  readonly id: string;
  readonly name: string;
  readonly origins: readonly string[];
}

/** Of the site, all that says where passkeys can be used. */
export type Place = Pick<Site, "origins">;

/** Pages in the shells of apps (Capacitor on Android) have this origin; nobody's site is there. */
const SHELL = "https://localhost";

/** An address instead of a name: browsers use no passkeys there (WebAuthn Level 3 section 5.1.4.1). */
function isAddress(host: string): boolean {
  return host.startsWith("[") || /^[0-9.]+$/.test(host);
}

/** The host of pages that can use passkeys: of an https origin, or of localhost, and with a name. */
function hostOf(origin: string): string | undefined {
  const url = urlIn(origin);
  if (url === undefined) return undefined;
  const { hostname, protocol } = url;
  const isSafe = protocol === "https:" || (protocol === "http:" && /(^|\.)localhost$/.test(hostname));
  return isSafe && !isAddress(hostname) ? hostname : undefined;
}

function hostsOf(origins: readonly string[]): string[] {
  return origins.map(hostOf).filter((host) => host !== undefined);
}

/** What nobody can own, and browsers make no passkeys for: "com", "co.uk", "github.io", and every name of one word. */
function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, { allowPrivateDomains: true }) === name;
}

/** "Is a registrable domain suffix of or is equal to" (HTML), which browsers ask of the rpId. */
function isWithin(host: string, rpId: string): boolean {
  return host === rpId || (host.endsWith(`.${rpId}`) && !isPublicSuffix(rpId));
}

/** Passkeys of this rpId can be used on pages of one of these origins. */
export function fits(rpId: string, { origins }: Place): boolean {
  return hostsOf(origins).some((host) => isWithin(host, rpId));
}

/** The first host that can use passkeys, and the shell of an app only where there is no other. */
export function defaultRpId({ origins }: Place): string | undefined {
  return hostsOf([...origins.filter((origin) => origin !== SHELL), SHELL].filter((each) => origins.includes(each)))[0];
}

/** Some origin lies outside the domain passkeys are made for, so browsers must be told that it may use them. */
export function hasRelatedOrigins(rpId: string, origins: readonly string[]): boolean {
  return origins.some((origin) => {
    const url = urlIn(origin);
    return url !== undefined && !isWithin(url.hostname, rpId);
  });
}

/** The name that was meant, where what was given holds one. */
function nameIn(given: string): string | undefined {
  const bare = given.trim().replace(/^\.+/, "");
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(bare) ? bare : `https://${bare}`;
  const url = urlIn(text);
  if (url === undefined) return undefined;
  const name = url.hostname.replace(/\.$/, "").toLowerCase();
  return name === "" || name.includes("*") || isAddress(name) ? undefined : name;
}

/** What keeps a value from being an rpId, wherever it is used; undefined where it is one. */
export function rpIdProblem(rpId: unknown): string | undefined {
  const form = 'a name such as "acme.example", without scheme, port and path';
  if (typeof rpId !== "string") return `passkeys: rpId must be ${form}, and is ${typeof rpId} ${String(rpId)}`;
  const meant = nameIn(rpId);
  if (meant === rpId) return undefined;
  return `passkeys: rpId ${JSON.stringify(rpId)} must be ${form}${meant === undefined ? "" : `: write "${meant}"`}`;
}

/** It stands on the list itself, so that no site has it for a host: a word that is none ("intranet") may be one. */
function isListedSuffix(name: string): boolean {
  const { isIcann, isPrivate, publicSuffix } = parse(name, { allowPrivateDomains: true });
  return publicSuffix === name && (isIcann === true || isPrivate === true);
}

/** Why no browser uses this rpId at the configured origins. `origins`: undefined where they depend on the request. */
export function placeProblems(rpId: string, origins: readonly string[] | undefined): string[] {
  const nobodys = `passkeys: rpId "${rpId}" is a public suffix, which no site owns and no browser takes`;
  if (origins === undefined) return isListedSuffix(rpId) ? [nobodys] : [];
  if (fits(rpId, { origins })) return [];
  const hosts = [...new Set(hostsOf(origins))].map((host) => `"${host}"`);
  if (hosts.length === 0) return ["passkeys: rpId needs an origin with a name: https, or http://localhost"];
  const mend = `at the configured origins it can be ${hosts.join(", ")}, or a domain above that is the site's own`;
  if (hostsOf(origins).some((host) => host.endsWith(`.${rpId}`))) return [`${nobodys}; ${mend}`];
  return [`passkeys: rpId "${rpId}" is no host of the configured origins, and no domain above one; ${mend}`];
}
