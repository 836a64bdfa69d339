import type { Request, Response } from "express";
import type { Settings } from "../options/settings.js";

const RELATED_ORIGINS = "/.well-known/webauthn";

/** Some origin lies outside the domain passkeys are made for, so browsers must be told that it may use them. */
function hasRelatedOrigins(req: Request, settings: Settings): boolean {
  const { id, origins } = settings.relyingParty(req);
  return origins.some((origin) => !`.${new URL(origin).hostname}`.endsWith(`.${id}`));
}

/** Documents browsers and password managers look for, by path; they hold nothing but configuration. */
const DOCUMENTS: Readonly<Record<string, (req: Request, settings: Settings) => object>> = {
  // WebAuthn Level 3 section 5.11: the origins that may use this site's passkeys.
  [RELATED_ORIGINS]: (req, settings) => ({ origins: settings.origins(req) }),
  // W3C "A well-known URL for relying party passkey endpoints".
  "/.well-known/passkey-endpoints": (req, settings) => {
    const page = new URL(`${req.baseUrl}${settings.path}/settings`, settings.origins(req)[0]).href;
    return { enroll: page, manage: page };
  },
};

/** Answers a request for one of the documents; false where it is for something else. */
export function answerWellKnown(req: Request, res: Response, settings: Settings): boolean {
  if (!req.url.startsWith("/.well-known/")) return false;
  const document = req.method === "GET" ? DOCUMENTS[req.path] : undefined;
  if (document === undefined || settings.origins(req).length === 0) return false;
  // Without related origins the list is nobody's business, and the application may have a document of its own.
  if (req.path === RELATED_ORIGINS && !hasRelatedOrigins(req, settings)) return false;
  res.status(200).json(document(req, settings));
  return true;
}
