import { isOwnPlace } from "../http/places.js";
import { localPlace } from "../http/return-to.js";
import { isPath } from "./checks.js";

/** A path of the application's, with a query and a fragment where it has them; or a whole address on one of these origins. */
function isPlace(value: unknown, origins: readonly string[]): value is string {
  if (typeof value !== "string") return false;
  if (!value.startsWith("/")) return /^https?:/.test(value) && localPlace(value, origins) !== undefined;
  return isPath(value.split(/[?#]/, 1)[0]) && isOwnPlace(value);
}

function originsIn(origin: unknown): readonly string[] {
  const origins: readonly unknown[] = Array.isArray(origin) ? origin : [origin];
  return origins.filter((each) => typeof each === "string");
}

/** What is wrong with where the application lies, and with the places of it that pages lead to. */
export function placeProblems(given: Readonly<Record<string, unknown>>): string[] {
  const { publicPath } = given;
  const origins = originsIn(given.origin);
  const places = { homePath: "/home", loginPath: "/login" };
  return [
    ...(publicPath === undefined || isPath(publicPath)
      ? []
      : ['publicPath: must begin with one slash, for example "/crm"']),
    ...Object.entries(places).flatMap(([name, example]) => {
      const value = given[name];
      if (value === undefined || isPlace(value, origins)) return [];
      return [`${name}: must begin with one slash, for example "${example}", or with one of the listed origins`];
    }),
  ];
}
