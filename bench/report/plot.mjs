// @ts-check
// Bars beside a line at 1, as SVG: a row for each thing that was compared, with the target where there is one.

/** @typedef {{ name: string, value: number, low: number, high: number, isOwn: boolean, target?: number }} Bar */
/** @typedef {{ title: string, bars: readonly Bar[] }} Group */

const [WIDTH, NAME_WIDTH, RIGHT, ROW, TITLE, TOP] = [860, 330, 70, 26, 40, 16];

// Both schemes, because the picture stands on pages of both.
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .bar { fill: #8c959f } .own { fill: #0969da }
  .axis { stroke: #57606a; stroke-dasharray: 3 3 } .spread { stroke: #24292f } .target { stroke: #cf222e; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .bar { fill: #6e7681 } .own { fill: #58a6ff }
    .axis { stroke: #8b949e } .spread { stroke: #e6edf3 } .target { stroke: #ff7b72 }
  }`;

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** @param {Bar} bar @param {number} y @param {(value: number) => number} x */
function drawBar({ name, value, low, high, isOwn, target }, y, x) {
  const [middle, bottom] = [y + ROW / 2, y + ROW - 6];
  const line = (/** @type {string} */ kind, /** @type {number[]} */ [x1 = 0, y1 = 0, x2 = 0, y2 = 0]) =>
    `<line class="${kind}" x1="${x1.toFixed(1)}" y1="${y1}" x2="${x2.toFixed(1)}" y2="${y2}"/>`;
  return [
    `<text x="${NAME_WIDTH - 10}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${isOwn ? "own" : "bar"}" x="${NAME_WIDTH}" y="${y + 5}" width="${(x(value) - NAME_WIDTH).toFixed(1)}" height="${ROW - 10}"/>`,
    line("spread", [x(low), middle, x(high), middle]),
    ...(target === undefined ? [] : [line("target", [x(target), y + 2, x(target), bottom + 4])]),
    `<text x="${(x(Math.max(value, high)) + 8).toFixed(1)}" y="${middle + 4}">${value.toFixed(2)}</text>`,
  ].join("\n");
}

/** @param {string} title what the whole picture says @param {readonly Group[]} groups */
export function drawPlot(title, groups) {
  const widest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ value, high }) => Math.max(value, high))));
  const x = (/** @type {number} */ value) => NAME_WIDTH + ((WIDTH - NAME_WIDTH - RIGHT) * value) / widest;
  let y = TOP;
  /** @type {string[]} */
  const drawn = [];
  for (const group of groups) {
    drawn.push(`<text class="title" x="10" y="${y + 18}">${escaped(group.title)}</text>`);
    y += TITLE - 10;
    const top = y;
    for (const bar of group.bars) {
      drawn.push(drawBar(bar, y, x));
      y += ROW;
    }
    drawn.push(`<line class="axis" x1="${x(1)}" y1="${top}" x2="${x(1)}" y2="${y}"/>`);
    y += TITLE - ROW;
  }
  y += ROW;
  const legend = "Medians; the thin line is the middle half of the rounds, the red mark a target.";
  drawn.push(`<text x="10" y="${y - 10}">${legend}</text>`);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escaped(title)}">`;
  return [head, `<style>${STYLE}\n</style>`, ...drawn, "</svg>", ""].join("\n");
}
