import type { Request } from "express";
import { isSameAddress } from "./addresses.js";

const CODE = "SECOND_FACTOR_TRUST_PROXY";

/** Headers in which some proxy or other gives the client's address, and nothing else. */
const SINGLE = [
  "x-real-ip",
  "x-client-ip",
  "client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
  "fly-client-ip",
  "incap-client-ip",
  "proxy-client-ip",
  "wl-proxy-client-ip",
  "ali-cdn-real-ip",
  "do-connecting-ip",
  "x-appengine-user-ip",
  "x-azure-clientip",
  "x-cluster-client-ip",
  "x-envoy-external-address",
  "x-nf-client-connection-ip",
  "x-originating-ip",
  "x-remote-ip",
  "x-sucuri-clientip",
];

/** `X-Forwarded-For` under other names. */
const LISTS = ["forwarded-for", "x-vercel-forwarded-for"];

/** RFC 7239, and what came before it. */
const ELEMENTS = ["forwarded", "x-forwarded"];

/** How the client reached the proxy. Without the setting Express believes none of it. */
const SCHEMES = [
  "x-forwarded-proto",
  "x-forwarded-protocol",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "front-end-https",
];

/** What proxies say of the client they stand before. */
const FORWARDED = ["x-forwarded-for", ...SINGLE, ...LISTS, ...ELEMENTS, ...SCHEMES, "x-forwarded-host", "via"];

/** Addresses from all over: no list of proxies holds all of one kind, and none is that far away. */
const STRANGERS = [
  ["9.9.9.9", "64.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1"],
  ["2001:db8::1", "2620:fe::fe", "2a00::1"],
];
const FAR_AWAY = 1_000;

type Trusts = (address: string, distance: number) => boolean;

function isForwarded({ headers }: Request): boolean {
  return FORWARDED.some((name) => headers[name] !== undefined);
}

function headerOf({ headers }: Request, name: string): string {
  return String(headers[name] ?? "");
}

/** The addresses in a header that lists them, as Express reads it. */
function listedIn(req: Request, name: string): readonly string[] {
  const listed = headerOf(req, name).split(",");
  return listed.filter((address) => address.trim() !== "");
}

/** How many addresses `X-Forwarded-For` lists. */
function hopsOf(req: Request): number {
  return listedIn(req, "x-forwarded-for").length;
}

/** Every `for=` of the header, quoted or not; of an element without one nothing is known, and nothing is said. */
function forwardedFor(req: Request, name: string): readonly string[] {
  const found = headerOf(req, name).matchAll(/(?:^|[,;])\s*for\s*=\s*(?:"([^"]*)"|([^,;\s]*))/gi);
  return Array.from(found, ([, quoted, token = ""]) => quoted ?? token);
}

function trustsOf(req: Request): Trusts {
  const trusts: unknown = req.app.get("trust proxy fn");
  return typeof trusts === "function" ? (trusts as Trusts) : () => false;
}

function trustsAnybody(req: Request): boolean {
  const trusts = trustsOf(req);
  return STRANGERS.some((kind) => kind.every((address) => trusts(address, FAR_AWAY)));
}

/** A number of proxies, where the setting is one. */
function proxiesOf(req: Request): number | undefined {
  const setting: unknown = req.app.get("trust proxy");
  return typeof setting === "number" ? setting : undefined;
}

/** Fewer proxies were passed than are trusted: whoever comes that way can say any address. */
function isShort(req: Request): boolean {
  const hops = hopsOf(req);
  return hops > 0 && hops < (proxiesOf(req) ?? 0);
}

function unknownProxy({ headers }: Request): string {
  const scheme = SCHEMES.find((name) => headers[name] !== undefined);
  const said = scheme === undefined ? "X-Forwarded-For or the like" : "X-Forwarded-Proto or the like";
  const forScheme =
    scheme === undefined
      ? ""
      : " Express takes https for http, so that express-session keeps back cookies marked secure and nobody stays logged in, and";
  return `requests carry ${said}, but "trust proxy" is not set:${forScheme} behind a proxy all users share one address. Set it to the number of proxies.`;
}

function problemOf(req: Request): string | undefined {
  if (trustsAnybody(req)) {
    return '"trust proxy" is true, or trusts every address: any client can invent its own with X-Forwarded-For. Set it to the number of proxies, or their addresses.';
  }
  const setting: unknown = req.app.get("trust proxy");
  if ((setting === false || setting === undefined) && isForwarded(req)) return unknownProxy(req);
  if (isShort(req)) {
    return '"trust proxy" is a larger number than there are proxies in front: a client can invent its address with X-Forwarded-For. Set it to the number of proxies.';
  }
  return undefined;
}

/** Every address of the chain was written by a proxy that is trusted, and none is left that was not. */
function isWhole(req: Request): boolean {
  const hops = hopsOf(req);
  const trusts = trustsOf(req);
  // Nothing was forwarded: then it must not have come through a proxy, whose address this would be.
  if (hops === 0) return !isForwarded(req) && !trusts(req.socket.remoteAddress ?? "", 0);
  const proxies = proxiesOf(req);
  return req.ips.length === hops && (proxies === undefined || proxies === hops);
}

/**
 * Another header says other than `X-Forwarded-For`, which is all that Express reads: a proxy that writes the one may pass on what its
 * client says in the other, and which of them the client made up is not to be seen.
 */
function isContradicted(req: Request): boolean {
  const chain = listedIn(req, "x-forwarded-for");
  const isOther = (told: readonly string[]): boolean =>
    told.length > 0 &&
    (told.length !== chain.length || told.some((address, index) => !isSameAddress(address, chain[index] ?? "")));
  return (
    SINGLE.some((name) => req.headers[name] !== undefined && !isSameAddress(headerOf(req, name), req.ip ?? "")) ||
    LISTS.some((name) => isOther(listedIn(req, name))) ||
    ELEMENTS.some((name) => isOther(forwardedFor(req, name)))
  );
}

/**
 * What can be told of `trust proxy` from the requests that come: only at a request is the application known. Limits per account
 * hold in any case; the limit per address and trusted networks depend on it.
 */
export class ProxyCheck {
  private hasTold = false;
  private hasLooked = false;
  private hasSeenShort = false;

  /** Names a setting that looks wrong at the first request that shows it, once. */
  look(req: Request): void {
    // The setting by itself is looked at once; only a forwarded request can show more.
    if (this.hasLooked && !isForwarded(req)) return;
    this.hasLooked = true;
    this.hasSeenShort ||= isShort(req);
    if (this.hasTold) return;
    const problem = problemOf(req);
    if (problem === undefined) return;
    this.hasTold = true;
    process.emitWarning(`${problem} Until then trustedNetworks exempt nobody.`, { code: CODE });
  }

  /**
   * Whether `req.ip` is the client's address as far as anybody can tell. Where anything speaks against it, it is not: that a list of
   * forwarded addresses is longer than the proxies account for is a client's own invention, or a proxy that nobody told of; and so is
   * what one header says and another does not.
   */
  isAddressCertain(req: Request): boolean {
    this.hasSeenShort ||= isShort(req);
    return !this.hasSeenShort && !trustsAnybody(req) && isWhole(req) && !isContradicted(req);
  }
}
