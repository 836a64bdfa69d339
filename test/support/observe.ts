import type { AuditEvent } from "express-second-factor";
import type { TestApp } from "./app.js";

/** What happened since the last time somebody asked, oldest first. */
export function happened({ events }: TestApp): AuditEvent[] {
  return events.splice(0);
}

/** The names of what happened since the last time somebody asked. */
export function actions(target: TestApp): string[] {
  return happened(target).map(({ action }) => action);
}
