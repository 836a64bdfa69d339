import { urlIn } from "../core/urls.js";
import { webOrigins } from "../core/origins.js";
import type { Method } from "../http/method.js";

const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/** What an app says of itself: a scheme of its own and a host, or the key that an Android package is signed with. */
const APP_ORIGIN =
  /^(?:(?!https?:|wss?:|ftp:|file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::\d+)?|android:apk-key-hash:[\w-]+)$/;

function originProblem(origin: unknown, production: boolean): string | undefined {
  if (origin === "null") return 'origin: "null" is what pages without an origin send, of whatever site; list real ones';
  if (typeof origin !== "string" || urlIn(origin) === undefined)
    return `origin: ${JSON.stringify(origin)} is not an origin such as "https://acme.example"`;
  return APP_ORIGIN.test(origin) ? undefined : webOriginProblem(origin, production);
}

function webOriginProblem(origin: string, production: boolean): string | undefined {
  const url = new URL(origin);
  if (url.hostname.includes("*")) return `origin: "${origin}" has a wildcard; list each origin, or pass a function`;
  if (url.origin !== origin)
    return `origin: write "${origin}" as "${url.origin}", without path, wildcard or trailing slash`;
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:" || !LOCAL_HOSTS.includes(url.hostname))
    return `origin: "${origin}" must begin with https://`;
  return production ? `origin: "${origin}" is for development; production needs https://` : undefined;
}

function listOf(origin: unknown): readonly unknown[] {
  return Array.isArray(origin) ? origin : [origin];
}

export function originProblems(origin: unknown, production: boolean): string[] {
  if (typeof origin === "function") return [];
  const origins = listOf(origin);
  if (origin === undefined || origins.length === 0) return ['origin: required, for example "https://acme.example"'];
  const problems = origins.map((each) => originProblem(each, production)).filter((each) => each !== undefined);
  if (problems.length > 0 || webOrigins(origins.map(String)).length > 0) return problems;
  return ["origin: list the origin of the site itself too, beside those of its apps"];
}

/** What the methods say of the origins, once these are right; a function's are known when it is asked. */
export function fitProblems(origin: unknown, methods: readonly Method[], production: boolean): string[] {
  if (originProblems(origin, production).length > 0) return [];
  const origins = typeof origin === "function" ? undefined : listOf(origin).map(String);
  return methods.flatMap((method) => method.problems?.(origins) ?? []);
}
