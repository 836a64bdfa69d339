// @ts-check
/** @typedef {{ title: string, head: readonly string[], rows: readonly (readonly string[])[], notes?: readonly string[] }} Table */
/** @typedef {{ what: string, wanted: string, found: string, isMet: boolean }} Target */
/** @typedef {import("../measure/slices.mjs").Spread} Spread */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} value */
export function whole(value) {
  return WHOLE.format(value);
}

/** Two figures that count, whatever the size. @param {number} value */
function plain(value) {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The median, and the middle half of the rounds. @param {Spread} spread */
export function ratioText({ median, low, high }) {
  return `${plain(median)} (${plain(low)}–${plain(high)})`;
}

/** @param {Spread} spread */
export function rateText({ median }) {
  return whole(median);
}

/** @param {string} what @param {number} value @param {number} least @returns {Target} */
export function atLeast(what, value, least) {
  return { what, wanted: `≥ ${least}`, found: plain(value), isMet: value >= least };
}

/** @param {string} what @param {number} value @param {number} most @returns {Target} */
export function atMost(what, value, most) {
  const found = Number.isInteger(value) ? whole(value) : plain(value);
  return { what, wanted: `≤ ${whole(most)}`, found, isMet: value <= most };
}

/** @param {readonly Target[]} targets @returns {Table} */
export function targetTable(targets) {
  return {
    title: "Targets",
    head: ["what", "wanted", "found", ""],
    rows: targets.map(({ what, wanted, found, isMet }) => [what, wanted, found, isMet ? "met" : "missed"]),
  };
}

/** @param {Table} table */
function widths({ head, rows }) {
  return head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
}

/** @param {Table} table */
export function toTerminal(table) {
  const columns = widths(table);
  const line = (/** @type {readonly string[]} */ cells) => {
    return cells
      .map((cell, column) => cell.padEnd(columns[column] ?? 0))
      .join("  ")
      .trimEnd();
  };
  const rule = columns.map((width) => "-".repeat(width));
  const notes = (table.notes ?? []).map((note) => `  ${note}`);
  return ["", table.title, "", ...[table.head, rule, ...table.rows].map(line), ...notes].join("\n");
}

/** @param {Table} table */
export function toMarkdown(table) {
  const columns = widths(table);
  const line = (/** @type {readonly string[]} */ cells) => {
    return `| ${cells.map((cell, column) => cell.padEnd(columns[column] ?? 0)).join(" | ")} |`;
  };
  const rule = columns.map((width) => "-".repeat(width));
  const notes = (table.notes ?? []).flatMap((note) => ["", note]);
  return [`### ${table.title}`, "", ...[table.head, rule, ...table.rows].map(line), ...notes, ""].join("\n");
}
