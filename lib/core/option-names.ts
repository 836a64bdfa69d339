import { distance } from "fastest-levenshtein";

/** So few letters away that it was meant: one in three, rounded down, and one in a short name. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const reach = Math.max(1, Math.floor(name.length / 3));
  const [best] = names
    .map((known) => ({ known, away: distance(name, known) }))
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
