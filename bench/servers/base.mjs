// @ts-check
import { createApplication } from "./application.mjs";
import { secretOf } from "./secrets.mjs";

/** The application without the line. @type {import("./main.mjs").BuildStack} */
export async function base({ sessions }) {
  return { app: await createApplication({ sessions }), enroll: async (name) => secretOf(name) };
}
