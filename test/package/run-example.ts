import * as clientSns from "@aws-sdk/client-sns";
import * as oneSignal from "@onesignal/node-onesignal";
import * as openTelemetry from "@opentelemetry/api";
import * as express from "express";
import * as session from "express-session";
import * as kysely from "kysely";
import * as nodemailer from "nodemailer";
import * as passport from "passport";
import * as passportLocal from "passport-local";
import * as pg from "pg";
import * as redis from "redis";
import * as twilio from "twilio";
import ts from "typescript";
import * as webPush from "web-push";
import * as secondFactor from "express-second-factor";
import * as audit from "express-second-factor/audit";
import * as firebase from "express-second-factor/firebase";
import * as mail from "express-second-factor/mail";
import * as oneSignalSubpath from "express-second-factor/onesignal";
import * as openTelemetrySubpath from "express-second-factor/opentelemetry";
import * as redisStore from "express-second-factor/redis";
import * as sns from "express-second-factor/sns";
import * as sqlStore from "express-second-factor/sql";
import * as testing from "express-second-factor/testing";
import * as twilioSubpath from "express-second-factor/twilio";
import * as webPushSubpath from "express-second-factor/web-push";
import type { Names } from "./application.js";
import { sourceOf } from "./compiled-examples.js";
import type { Example } from "./documented-examples.js";

/** What examples can import. Another package goes here. */
const MODULES: Readonly<Record<string, object>> = {
  "express-second-factor": secondFactor,
  "express-second-factor/audit": audit,
  "express-second-factor/firebase": firebase,
  "express-second-factor/mail": mail,
  "express-second-factor/onesignal": oneSignalSubpath,
  "express-second-factor/opentelemetry": openTelemetrySubpath,
  "express-second-factor/redis": redisStore,
  "express-second-factor/sns": sns,
  "express-second-factor/sql": sqlStore,
  "express-second-factor/testing": testing,
  "express-second-factor/twilio": twilioSubpath,
  "express-second-factor/web-push": webPushSubpath,
  "@aws-sdk/client-sns": clientSns,
  "@onesignal/node-onesignal": oneSignal,
  "@opentelemetry/api": openTelemetry,
  express,
  "express-session": session,
  kysely,
  nodemailer,
  passport,
  "passport-local": passportLocal,
  pg,
  redis,
  twilio,
  "web-push": webPush,
};

type Run = (...values: readonly unknown[]) => Promise<Readonly<Record<string, unknown>>>;
const AsyncFunction = (async () => undefined).constructor as new (...parameters: string[]) => Run;

function require(name: string): object {
  const found = MODULES[name];
  if (found === undefined) throw new Error(`No example can import "${name}" yet: see MODULES`);
  return found;
}

/** Runs an example in an application. Answers what it declared, which it can only do from its last line. */
export async function run(example: Example, names: Names): Promise<Readonly<Record<string, unknown>>> {
  const { given, made, text } = sourceOf(example);
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: false },
  });
  const body = `${outputText}\nreturn { ${made.join(", ")} };`;
  const application = given.map((name) => Reflect.get(names, name) as unknown);
  return new AsyncFunction("require", "exports", ...given, body)(require, {}, ...application);
}
