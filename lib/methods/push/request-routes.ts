import type { Route } from "../../http/route.js";
import type { Push } from "./method.js";

/** Asking a device, waiting for what it decides, and deciding. */
export function requestRoutes(_push: Push): readonly Route[] {
  return [];
}
