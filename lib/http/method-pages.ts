import type { MethodPage, MethodPages } from "../pages/method-page.js";
import type { Method } from "./method.js";

/** What a method does that its page has nothing to show for. */
export function missingParts(method: Method): string[] {
  const { page, type } = method;
  const missing = [
    ...(method.mint !== undefined && page.codes === undefined ? ["codes"] : []),
    ...(method.obstacle !== undefined && page.unusable === undefined ? ["unusable"] : []),
    ...(method.enroll !== undefined && page.add !== undefined && page.enrollment === undefined ? ["enrollment"] : []),
  ];
  return missing.map((name) => `methods: the page of "${type}" has no ${name}(); what the method does needs it`);
}

/** What sets a factor up. */
const ADDING = ["add", "replace"];

export function withoutAdding(page: MethodPage): MethodPage {
  return Object.fromEntries(Object.entries(page).filter(([part]) => !ADDING.includes(part))) as unknown as MethodPage;
}

/** What no fake site can use is worth most, what somebody else can come to receive least, and of that the lower level. */
function worthOf({ aal, isRestricted, phishingResistant }: Method): number {
  return phishingResistant ? 3 : isRestricted === true ? aal - 2 : aal;
}

/** In the order in which they are offered for setting up: what is worth most first. */
export function pagesOf(methods: readonly Method[]): MethodPages {
  const ordered = methods.toSorted((a, b) => worthOf(b) - worthOf(a));
  return new Map(ordered.map(({ page, type }) => [type, page]));
}
