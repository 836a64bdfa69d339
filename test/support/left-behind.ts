// What an application leaves behind once people have used it, and how to find in it what was secret.
import { createHash } from "node:crypto";
import type session from "express-session";
import type { Response } from "supertest";
import { emailNotices } from "express-second-factor/mail";
import { cookies, SESSION_COOKIE } from "./attack.js";
import type { Jar } from "./browser.js";
import { found } from "./routes.js";

export interface Mail {
  readonly to: { readonly address: string };
  readonly subject: string;
  readonly text: string;
}

/** What the application asked for of the owner by mail: never searched, it is what everything else is searched for. */
export class Postbox {
  readonly mails: Mail[] = [];
  refuses = false;

  readonly transport = {
    sendMail: async (mail: Mail): Promise<void> => {
      if (this.refuses) throw Object.assign(new Error(`no ${mail.to.address}: ${mail.text}`), { responseCode: 550 });
      this.mails.push(mail);
    },
  };

  readonly notify = emailNotices({ transport: this.transport, from: "Acme <security@acme.example>", retries: [] });

  /** Of every link there was, oldest first. */
  tokens(mails: readonly Mail[] = this.mails, way = "[a-z/]+"): string[] {
    const link = new RegExp(`/2fa/${way}\\?token=([\\w-]+)`, "g");
    return mails.flatMap(({ text }) => [...text.matchAll(link)].map(([, token]) => token!));
  }
}

/** The ids of sessions, and every other token, that a browser has in its cookies. */
export function keepCookies(
  jar: Jar,
  { cookieTokens, sessions }: { readonly cookieTokens: Set<string>; readonly sessions: Set<string> },
): void {
  for (const [name, value] of Object.entries(cookies(jar))) {
    if (name === SESSION_COOKIE) sessions.add(/^s:([\w-]+)\./.exec(decodeURIComponent(value))![1]!);
    else cookieTokens.add(value).add(value.split(".").at(-1)!);
  }
}

/** Every way a text could be written down, as it is or as what anybody could compare it with. */
export function spelled(text: string): string[] {
  const bytes = Buffer.from(text);
  const digest = createHash("sha256").update(text).digest();
  const encoded = [bytes, digest].flatMap((each) => [
    each.toString("hex"),
    each.toString("base64").replace(/=+$/, ""),
    each.toString("base64url"),
  ]);
  return [text, encodeURIComponent(text), ...encoded];
}

export function spelledDestination(destination: string): string[] {
  return [...spelled(destination), destination.includes("@") ? destination : destination.replace(/^\+/, "")];
}

/** Codes as numbers of their own: six digits stand in times and ids by chance. What is compared with them stands nowhere by chance. */
export function codesIn(text: string, codes: readonly string[]): string[] {
  const digests = codes.flatMap((code) => spelled(code).filter((each) => each.length > 20));
  const alone = codes.filter((code) => new RegExp(`(?<![0-9A-Za-z_.-])${code}(?![0-9A-Za-z_-])`).test(text));
  return [...alone, ...found(text, digests)];
}

/** An error with all that is in it. */
export function written(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const { cause, message, stack, ...rest } = error as Error & Record<string, unknown>;
  return `${message} ${stack ?? ""} ${JSON.stringify(rest)} ${cause === undefined ? "" : written(cause)}`;
}

/** The page that a link opens has its token in its form, and is answered to nobody else. */
export function withoutItsToken(opened: Response, token: string): Response {
  return Object.assign(opened, { text: opened.text.replace(`name="token" value="${token}"`, "") });
}

/** What was answered, but for the cookies, which are their browser's own, and what the application itself answers. */
export function answersOf(answers: readonly Response[]): Record<string, string> {
  const own = answers.filter(({ request }) => new URL(request.url).pathname.startsWith("/2fa"));
  return Object.fromEntries(
    own.map(({ headers, request, status, text }, index) => [
      `${index} ${request.method} ${new URL(request.url).pathname} ${status}`,
      text + JSON.stringify({ ...headers, "set-cookie": "" }),
    ]),
  );
}

/** Every session's content, but for its id, which is the session's token. */
export function sessionsIn(sessionStore: session.Store): string {
  const { sessions } = sessionStore as unknown as { readonly sessions: Readonly<Record<string, string>> };
  return Object.values(sessions).join("\n");
}

/** Mails are written beside the requests. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
