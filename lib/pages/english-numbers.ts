import { once } from "../core/once.js";

const anyOf = once(() => new Intl.ListFormat("en", { type: "disjunction" }));
const allOf = once(() => new Intl.ListFormat("en", { type: "conjunction" }));

/** "1 code", "2 codes". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** "12 minutes", "about 23 hours", "about 3 days": rounded up, so that nobody is told to come too early. */
export function inAbout(minutes: number): string {
  if (minutes < 60) return counted(Math.max(1, Math.ceil(minutes)), "minute");
  const hours = Math.ceil(minutes / 60);
  return hours <= 48 ? `about ${counted(hours, "hour")}` : `about ${counted(Math.ceil(hours / 24), "day")}`;
}

/** "“Phone” and “Laptop”". */
export function listed(names: readonly string[]): string {
  return allOf().format(names.map((name) => `“${name}”`));
}

/** `hint`, and which of several factors it means: "Any of these works: “Phone” or “Laptop”." */
export function withLabels(hint: string, labels: readonly string[]): string {
  if (labels.length < 2) return hint;
  return `${hint} Any of these works: ${anyOf().format(labels.map((label) => `“${label}”`))}.`;
}
