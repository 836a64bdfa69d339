export { auditFile, type AuditFile } from "./audit-file.js";
export type { AuditFileOptions, AuditSubjects } from "./options.js";
export type { HiddenMember } from "./subjects.js";
export { verifyAudit, type VerifyAuditOptions } from "./verify-audit.js";
export type { AuditChain, AuditDamage, AuditNote, AuditPlace, AuditProblem, AuditVerdict } from "./verdict.js";
export { type CaepOptions, type SecurityEvent, toCaep } from "./caep.js";
