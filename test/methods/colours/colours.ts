import type { Method } from "express-second-factor";
import { type ColoursOptions, coloursMethod, type ColourState } from "./method.js";
import { coloursPage } from "./page.js";
import { coloursRoutes } from "./routes.js";

/** A sequence of colours, sent to an address that its owner typed when they set it up. */
export function colours(options: ColoursOptions): Method<ColourState, string> {
  return { ...coloursMethod(options), page: coloursPage, routes: coloursRoutes };
}
