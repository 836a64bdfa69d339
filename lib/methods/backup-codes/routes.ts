import { BACKUP_CODE } from "../../core/nouns.js";
import { proofRoute } from "../../http/method-routes.js";
import type { Route } from "../../http/route.js";

/** A saved code. New sets are made with the settings, where every set is replaced as a whole. */
export const backupCodesRoutes: readonly Route[] = [proofRoute(BACKUP_CODE)];
