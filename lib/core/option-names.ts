import { distance } from "fastest-levenshtein";

/** Two neighbours the other way round: one slip, which counts as two letters otherwise. */
function isSwapped(name: string, known: string): boolean {
  if (name.length !== known.length) return false;
  const [first = -1, second, ...more] = Array.from(name, (_letter, at) => at).filter((at) => name[at] !== known[at]);
  return more.length === 0 && second === first + 1 && name[first] === known[second] && name[second] === known[first];
}

/** So few letters away that it was meant: one in three, rounded down, and one in a short name. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const reach = Math.max(1, Math.floor(name.length / 3));
  const [best] = names
    .map((known) => ({ known, away: isSwapped(name, known) ? 1 : distance(name, known) }))
    .filter(({ away }) => away <= reach)
    .sort((one, other) => one.away - other.away);
  return best?.known;
}

/** Names that are no option, each with the one that was meant, where one is near enough to have been. */
export function unknownNames(given: object, names: readonly string[], where: string): string[] {
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = nearest(name, names);
      const mend = meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean "${meant}"?`;
      return `${where}${name}: there is no such option${mend}`;
    });
}

/** What is wrong with the options that a function of ours was given: no object, or names it does not know. `where`: `totp: `. */
export function optionsProblems(given: unknown, names: readonly string[], where: string): string[] {
  if (given === undefined) return [];
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return unknownNames(given, names, where);
  const found = given === null ? "null" : Array.isArray(given) ? "a list" : `a ${typeof given}`;
  return [`${where}options are an object with any of ${names.join(", ")}, not ${found}`];
}
