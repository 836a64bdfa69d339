import type { Route } from "../../http/route.js";
import type { Push } from "./method.js";

/** Setting a device up, and where it is reached from then on. */
export function enrollmentRoutes(_push: Push): readonly Route[] {
  return [];
}
