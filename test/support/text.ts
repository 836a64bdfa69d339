const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** What a page says, in one line: no elements, no white space but between words. */
export function visibleText(page: string): string {
  return page
    .replace(/<(head|script|style)[^]*?<\/\1>/g, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(amp|lt|gt|quot|#39);/g, (_entity, name: string) => ENTITIES[name]!)
    .replace(/\s+/g, " ")
    .trim();
}
