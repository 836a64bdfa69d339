import { enrollmentRoutes, proofRoute, type Route, route, sendRoute } from "express-second-factor";
import { PALETTE, TYPE } from "./method.js";

/** For clients that draw a button for each colour. */
const palette = route({
  verb: "get",
  path: `/${TYPE}/palette`,
  read: () => ({}),
  run: async ({ state }) => ({
    ok: true,
    value: { status: 200, body: { colours: PALETTE }, page: { redirect: state.base } },
  }),
});

/** What every method that sends has, and one of its own. Without this file there would be the first four. */
export const coloursRoutes: readonly Route[] = [
  proofRoute(TYPE),
  sendRoute(TYPE),
  ...enrollmentRoutes(TYPE, 202),
  palette,
];
