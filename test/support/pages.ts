import type { Response } from "supertest";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import type { Visitable } from "./app.js";
import type { Jar } from "./browser.js";

/** What an enrollment's page shows of it. */
export interface ShownSecret {
  readonly factorId: string;
  readonly secret: string | undefined;
  readonly qr: string | undefined;
  readonly uri: string | undefined;
}

/** The phone that took the secret from the page. */
export function phoneWith({ uri }: ShownSecret): AuthenticatorApp {
  if (uri === undefined) throw new Error("The page shows no secret");
  return authenticatorApp(uri);
}

function decoded(text = ""): string {
  const characters: Record<string, string> = { "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  return text.replace(/&(quot|#39|lt|gt|amp);/g, (entity) => characters[entity]!);
}

export function shownOn({ text }: Response): ShownSecret {
  const uri = /href="(otpauth:[^"]+)"/.exec(text)?.[1];
  return {
    factorId: /name="factorId" value="([^"]*)"/.exec(text)?.[1] ?? "",
    secret: /data-copy="([A-Z2-7]{32})"/.exec(text)?.[1],
    qr: /<div class="sf-qr"[^>]*>(.*?)<\/div>/s.exec(text)?.[1],
    uri: uri === undefined ? undefined : decoded(uri),
  };
}

/** The backup codes that a page shows. */
export function codesOn({ text }: Response): string[] {
  return [...text.matchAll(/<li><code>([^<]+)<\/code><\/li>/g)].map(([, code]) => code!);
}

/** The notice of what was done. */
export function toldOn({ text }: Response): string | undefined {
  const notice = /<div class="sf-notice sf-notice-info" role="status">.*?<p>(.*?)<\/p>/s.exec(text)?.[1];
  return notice === undefined ? undefined : decoded(notice.replace(/\s+/g, " ").trim());
}

/** The value that a form on the page sends under this name. */
export function fieldOn({ text }: Response, name: string): string | undefined {
  const value = new RegExp(`<input[^>]*name="${name}"[^>]*>`).exec(text)?.[0];
  return value === undefined ? undefined : decoded(/\svalue="([^"]*)"/.exec(value)?.[1] ?? "");
}

/** Posts a form as a browser does: what answers it is the page that it is sent on to. */
export async function submit<Target extends Visitable>(
  jar: Jar<Target>,
  path: string,
  body: object = {},
): Promise<{ readonly location: string; readonly page: Response }> {
  const answer = await jar.form(path, body);
  if (answer.status !== 303) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
  const location = answer.headers.location!;
  return { location, page: await jar.page(location) };
}
