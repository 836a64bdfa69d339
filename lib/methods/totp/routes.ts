import { enrollmentRoutes, proofRoute, resyncRoute } from "../../http/method-routes.js";
import type { Route } from "../../http/route.js";

/** A typed code, setting up by QR code, and finding a drifted clock again. */
export const totpRoutes: readonly Route[] = [proofRoute("totp"), ...enrollmentRoutes("totp"), resyncRoute("totp")];
