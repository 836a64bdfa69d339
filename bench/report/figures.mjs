// @ts-check
// What of a run is drawn: ratios only, because only they mean something on another machine.
import { GATE_TARGETS } from "../questions/gate.mjs";
import { VERIFY_TARGETS } from "../questions/logins.mjs";
import { drawPlot } from "./plot.mjs";

/** @typedef {import("../measure/slices.mjs").Compared} Compared */
/** @typedef {import("./plot.mjs").Bar} Bar */

/** @param {string} name @param {Compared | undefined} compared @param {{ isOwn: boolean, target?: number }} look @returns {Bar[]} */
function bar(name, compared, look) {
  if (compared === undefined) return [];
  const { median, low, high } = compared.ratio;
  return [{ name, value: median, low, high, ...look }];
}

/** @param {number | undefined} target */
function own(target) {
  return target === undefined ? { isOwn: true } : { isOwn: true, target };
}

/** @param {import("../questions/gate.mjs").GateResult} gate */
function gateGroup({ stores }) {
  const bars = Object.entries(stores).flatMap(([store, page]) =>
    Object.entries(page).flatMap(([state, compared]) => {
      if (state === "base") return [];
      return bar(`${store}: ${state}`, compared, own(state === "verified" ? GATE_TARGETS[store] : undefined));
    }),
  );
  return { title: "A page with the line; 1 is the same application without", bars };
}

/** @param {import("../questions/logins.mjs").LoginsResult} logins @param {Record<string, string>} stackNames */
function verifyGroups({ stores }, stackNames) {
  return Object.entries(stores).map(([store, { verify = {} }]) => ({
    title: `A TOTP code checked, ${store}; 1 is a floor written by hand`,
    bars: Object.entries(verify).flatMap(([stack, compared]) => {
      if (stack === "base") return [];
      const look = stack === "product" ? own(VERIFY_TARGETS[store]) : { isOwn: false };
      return bar(stackNames[stack] ?? stack, compared, look);
    }),
  }));
}

/**
 * @param {{ gate?: import("../questions/gate.mjs").GateResult, logins?: import("../questions/logins.mjs").LoginsResult }} results
 * @param {Record<string, string>} stackNames
 */
export function drawFigures({ gate, logins }, stackNames) {
  const groups = [...(gate ? [gateGroup(gate)] : []), ...(logins ? verifyGroups(logins, stackNames) : [])];
  return drawPlot("Throughput beside the same application without the line, and beside other stacks", groups);
}
