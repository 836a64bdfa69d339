// @ts-check
/** @typedef {{ title: string, head: readonly string[], rows: readonly (readonly string[])[], notes?: readonly string[] }} Table */
/** @typedef {import("../measure/statistics.mjs").Spread} Spread */
/** @typedef {import("../measure/contest.mjs").Ratio} Ratio */

/**
 * @typedef {object} Target
 * @property {string} what
 * @property {string} wanted
 * @property {string} found the median where there are rounds: what decides
 * @property {string} [quiet] the same of the quiet fifths
 * @property {string} [scatter] the base beside itself in the same rounds
 * @property {boolean} isMet
 */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} value */
export function whole(value) {
  return WHOLE.format(value);
}

/** Two figures that count, whatever the size. @param {number} value */
export function plain(value) {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The median, and the middle half of the rounds. @param {Spread} spread */
export function ratioText({ median, low, high }) {
  return `${plain(median)} (${plain(low)}–${plain(high)})`;
}

/** @param {string} what @param {number} value @param {number} most @returns {Target} */
export function atMost(what, value, most) {
  return { what, wanted: `≤ ${limitText(most)}`, found: valueText(value), isMet: value <= most };
}

/** @param {number} limit */
function limitText(limit) {
  return Number.isInteger(limit) ? whole(limit) : plain(limit);
}

/** @param {number} value */
function valueText(value) {
  return Number.isInteger(value) || value >= 100 ? whole(value) : plain(value);
}

/** @param {Ratio} ratio @param {Ratio} scatter */
function found(ratio, scatter) {
  return { found: ratioText(ratio), quiet: plain(ratio.quiet), scatter: ratioText(scatter) };
}

/** @param {string} what @param {Ratio} ratio @param {Ratio} scatter of the base @param {number} least @returns {Target} */
export function atLeastOf(what, ratio, scatter, least) {
  return { what, wanted: `≥ ${plain(least)}`, ...found(ratio, scatter), isMet: ratio.median >= least };
}

/** @param {string} what @param {Ratio} ratio @param {Ratio} scatter of the base @param {number} most @returns {Target} */
export function atMostOf(what, ratio, scatter, most) {
  return { what, wanted: `≤ ${plain(most)}`, ...found(ratio, scatter), isMet: ratio.median <= most };
}

/** @param {readonly Target[]} targets @returns {Table} */
export function targetTable(targets) {
  return {
    title: "Targets",
    head: ["what", "wanted", "found", "quiet fifth", "the base beside itself", ""],
    rows: targets.map(({ what, wanted, found, quiet = "", scatter = "", isMet }) => {
      return [what, wanted, found, quiet, scatter, isMet ? "met" : "missed"];
    }),
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
