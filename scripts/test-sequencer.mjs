// @ts-check
// The order of a test run. Jest knows how long a file takes from earlier runs alone, and on a fresh checkout goes by size: a short
// file that installs applications would then come last, with nothing left to run beside it.
import { createRequire } from "node:module";

/** @type {typeof import("@jest/test-sequencer")} Required, because its types know no other way in. */
const { default: Sequencer } = createRequire(import.meta.url)("@jest/test-sequencer");

/** What waits for programs of its own, the longest first. */
const LONG = ["package/packed", "browser/", "package/examples", "example/", "faults/"];

/** @param {{ readonly path: string }} test */
function rankOf({ path }) {
  const rank = LONG.findIndex((part) => path.replaceAll("\\", "/").includes(`/test/${part}`));
  return rank === -1 ? LONG.length : rank;
}

/** Long ones first, otherwise in Jest's order. */
export default class LongestFirst extends Sequencer {
  /** @override @type {InstanceType<typeof Sequencer>["sort"]} */
  sort(tests) {
    const ordered = /** @type {typeof tests} */ (super.sort(tests));
    return [...ordered].sort((one, other) => rankOf(one) - rankOf(other));
  }
}
