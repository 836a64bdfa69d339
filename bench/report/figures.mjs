// @ts-check
// What of a run is drawn: ratios only, because only they mean something on another machine.
import { ratioOf, twinOf } from "../measure/contest.mjs";
import { GATE_TARGETS } from "../questions/gate.mjs";
import { LOGIN_TARGETS } from "../questions/logins.mjs";
import { drawPlot } from "./plot.mjs";

/** @typedef {import("../measure/contest.mjs").Contest} Contest */
/** @typedef {import("./plot.mjs").Bar} Bar */

/** All of a contest beside its base. @param {Contest} contest @param {(name: string) => { text: string, isOwn: boolean, target: number | undefined }} look @returns {Bar[]} */
function bars(contest, look) {
  const others = Object.keys(contest.rows).filter((name) => name !== contest.base && name !== twinOf(contest.base));
  return others.map((name) => {
    const { text, isOwn, target } = look(name);
    const { median, low, high } = ratioOf(contest, name);
    return { name: text, value: median, low, high, isOwn, ...(target === undefined ? {} : { target }) };
  });
}

/** @param {import("../questions/gate.mjs").GateResult} gate */
function gateGroup({ stores }) {
  return {
    title: "A page with the line; 1 is the same application without (PostgreSQL: with one prepared SELECT)",
    bars: Object.entries(stores).flatMap(([store, contest]) => {
      return bars(contest, (name) => {
        const isOwn = name !== "base";
        const text = isOwn ? `${store}: ${name}` : `${store}: without the line and the SELECT`;
        return { text, isOwn, target: GATE_TARGETS[store]?.[name] };
      });
    }),
  };
}

/** @param {import("../questions/logins.mjs").LoginsResult} logins @param {Record<string, string>} stackNames */
function verifyGroups({ stores }, stackNames) {
  return Object.entries(stores).flatMap(([store, { verify }]) => {
    if (verify === undefined) return [];
    const wanted = LOGIN_TARGETS.find(({ kind, other }) => kind === "verify" && other === verify.base);
    const look = (/** @type {string} */ name) => {
      const isOwn = name === "product";
      return { text: stackNames[name] ?? name, isOwn, target: isOwn ? wanted?.least[store] : undefined };
    };
    return [{ title: `A TOTP code checked, ${store}; 1 is a floor with the same promises`, bars: bars(verify, look) }];
  });
}

/**
 * @param {{ gate?: import("../questions/gate.mjs").GateResult, logins?: import("../questions/logins.mjs").LoginsResult }} results
 * @param {Record<string, string>} stackNames
 */
export function drawFigures({ gate, logins }, stackNames) {
  const groups = [...(gate ? [gateGroup(gate)] : []), ...(logins ? verifyGroups(logins, stackNames) : [])];
  return drawPlot("Throughput beside the same application without the line, and beside other stacks", groups);
}
