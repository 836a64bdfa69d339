import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isBuildFresh } from "../../scripts/build-record.mjs";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const isFresh = await isBuildFresh();

/**
 * Where a file or folder of the built package is. Beside a build of other sources a test would pass or fail for the wrong reason,
 * and a build made by the test would pull it away from others: so there is one, and it is of the sources as they are.
 */
export function built(path = ""): string {
  if (!isFresh) throw new Error("dist/ is missing or not of the sources as they are: run `npm run build`");
  return join(dist, path);
}
