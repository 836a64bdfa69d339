import type { Notice, NoticeDetails, NoticeKind } from "express-second-factor";

const DETAILS: Partial<Record<NoticeKind, NoticeDetails>> = {
  "factor-enrolled": { method: "totp", label: "Work phone", ended: { sessions: 2, browsers: 1 } },
  "factor-removed": { method: "totp", label: "Work phone", ended: { sessions: 2, browsers: 0 }, actor: "support:7" },
  "factor-renamed": { method: "totp", label: "Work phone", before: "Authenticator app" },
  "factor-imported": { method: "totp", label: "Work phone" },
  "factor-replaced": { method: "email-code", label: "a•••@acme.test" },
  "factor-reopened": { method: "totp", label: "Work phone" },
  "factor-disabled": { method: "totp", label: "Work phone" },
  "backup-code-used": { method: "backup-code", remaining: 7 },
  "backup-codes-low": { method: "backup-code", remaining: 2 },
  "login-unfinished": { reason: "failed", count: 3 },
  "push-reported": { method: "push", label: "My phone" },
  "session-revoked": { label: "Firefox on Linux" },
};

/** A notice as an application is given it. */
export function sampleNotice(kind: NoticeKind): Notice {
  const at = "2026-11-21T12:00:30.000Z";
  return {
    kind,
    userId: "u1",
    to: { address: "alice@acme.test" },
    at,
    number: 12,
    browser: "Firefox on Linux",
    ip: "203.0.113.7",
    details: DETAILS[kind] ?? {},
    links: { report: `https://acme.test/2fa/report?token=${"c2FtcGxl".repeat(40)}` },
    issuer: "Acme",
    locale: "en",
    event: { time: at, action: kind, outcome: "success", userId: "u1", actor: "u1" },
  };
}
