import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { english, mergeMessages, messageProblems, type MessageOverrides } from "../../lib/pages/messages.js";
import { PAGE_SCRIPT, STYLE_SHEET } from "../../lib/pages/asset-names.js";
import type { ErrorCode } from "../../lib/core/errors.js";
import type { PageProblem } from "../../lib/pages/views.js";
import {
  activityOf,
  ALL_CODES,
  challengePage,
  challengeWith,
  codesPage,
  contextWith,
  everyPage,
  messages as words,
  NOTHING_YET,
  pagesOf,
  problemPage,
  settingsOf,
  settingsPage,
  settingsWith,
  setUpPage,
  totpEnrollment,
} from "./sample-pages.js";

const context = contextWith();
const pages = Object.entries(everyPage(context));

/** The opening tags of a page with their attributes as written. */
function tags(page: string, name = "[a-z][a-z0-9]*"): string[] {
  return page.match(new RegExp(`<${name}(?=[\\s>/])(?:"[^"]*"|'[^']*'|[^'">])*>`, "gi")) ?? [];
}

function attribute(tag: string | undefined, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag ?? "")?.[1];
}

function unescaped(text = ""): string {
  const characters: Record<string, string> = { "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  return text.replace(/&(quot|#39|lt|gt|amp);/g, (entity) => characters[entity]!);
}

/** The page without what came from outside: tag names and attribute names, in order. */
function skeleton(page: string): string {
  return tags(page)
    .map((tag) => tag.replace(/"[^"]*"|'[^']*'/g, '""'))
    .join("");
}

function codeFieldOf(page: string): string | undefined {
  return tags(page, "input").find((tag) => attribute(tag, "name") === "code");
}

function formsTo(page: string, action: string): string[] {
  const forms = page.match(/<form[\s\S]*?<\/form>/g) ?? [];
  return forms.filter((form) => attribute(tags(form, "form")[0], "action") === action);
}

function detailsAround(page: string, action: string): boolean {
  const before = page.slice(0, page.indexOf(`action="${action}"`));
  return (before.match(/<details/g) ?? []).length > (before.match(/<\/details>/g) ?? []).length;
}

function luminance(hex: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = channels.map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}

describe("what comes from outside", () => {
  test("is text on every page: no label, name or user agent becomes markup", () => {
    const plain = everyPage(context, "Phone");
    const hostile = fc.oneof(
      fc.constantFrom(
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</title></textarea></style><svg/onload=alert(1)>",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "${alert(1)}",
      ),
      fc.string({
        unit: fc.constantFrom("<", ">", '"', "'", "&", "/", "a", " ", "=", "\u202e", "\u0000"),
        minLength: 1,
      }),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        for (const [name, page] of Object.entries(everyPage(context, text))) {
          // The form after the codes has a field per query parameter, and the text may hold "&".
          if (/codes/i.test(name)) continue;
          expect([name, skeleton(page)]).toEqual([name, skeleton(plain[name]!)]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("is escaped in the list of backup codes", () => {
    const text = `"><script>alert(1)</script>`;
    const page = codesPage(context, {
      codes: [text],
      continueTo: `/a?b=${encodeURIComponent(text)}`,
      isFirst: true,
    });
    expect(page).not.toContain("<script>");
    expect(page).toContain("&quot;&gt;&lt;script&gt;");
  });

  test("is escaped where an array or an object came instead of text", () => {
    const text = ["<b>", ["<i>"], { toString: () => "<u>" }] as unknown as string;
    const page = challengePage(context, challengeWith({ accountName: text }));
    expect(page).toContain("&lt;b&gt;&lt;i&gt;&lt;u&gt;");
  });

  test("does not become a link unless it is an otpauth address", () => {
    const withUri = (uri: string): string =>
      totpEnrollment(context, { factorId: "f", answer: { label: "l", secret: "S", qr: "<svg></svg>", uri } });
    expect(withUri("javascript:alert(1)")).not.toContain("javascript:");
    expect(withUri("otpauth://totp/a?b&c")).toContain('href="otpauth://totp/a?b&amp;c"');
  });
});

describe("every page", () => {
  test.each(pages)(
    "%s is a whole document with a language, a title, a main part and one main heading",
    (_name, page) => {
      expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
      expect(page).toMatch(/<title>[^<]+ – Example<\/title>/);
      expect(page).toContain('name="viewport" content="width=device-width, initial-scale=1"');
      expect(tags(page, "main")).toHaveLength(1);
      expect(tags(page, "h1")).toHaveLength(1);
      expect(page.trim().endsWith("</html>")).toBe(true);
      expect(page).not.toMatch(/undefined|\[object|NaN/);
    },
  );

  test.each(pages)("%s keeps to a strict content security policy: nothing inline, no other host", (_name, page) => {
    expect(tags(page).filter((tag) => /\s(on\w+|style|srcset|formaction)\s*=/i.test(tag))).toEqual([]);
    expect(tags(page, "(?:style|iframe|object|embed|base)")).toEqual([]);
    expect(page.match(/<script[^>]*>[\s\S]*?<\/script>/g)).toEqual([
      `<script type="module" src="/2fa/assets/page.${PAGE_SCRIPT.hash}.js"></script>`,
    ]);
    const addresses = tags(page).flatMap((tag) => ["href", "src", "action"].map((name) => attribute(tag, name)));
    const given = addresses.filter((address) => address !== undefined);
    expect(given.filter((address) => !/^(\/(?!\/)|otpauth:)/.test(address))).toEqual([]);
  });

  test.each(pages)("%s names every field and every button, and uses an id once", (_name, page) => {
    const ids = tags(page).flatMap((tag) => attribute(tag, "id") ?? []);
    expect(ids).toEqual([...new Set(ids)]);
    const labelled = tags(page, "label").map((tag) => attribute(tag, "for"));
    const fields = tags(page, "input").filter((tag) => !/type="(hidden|checkbox)"/.test(tag));
    expect(fields.filter((tag) => !labelled.includes(attribute(tag, "id")))).toEqual([]);
    const referred = tags(page).flatMap((tag) =>
      ["aria-describedby", "aria-labelledby"].flatMap((name) => attribute(tag, name)?.split(" ") ?? []),
    );
    expect(referred.filter((id) => !ids.includes(id))).toEqual([]);
    expect(page).not.toMatch(/<button[^>]*>\s*<\/button>/);
    expect(page).not.toContain("maxlength");
  });

  test("has an answer to every error code, in a sentence of its own", () => {
    for (const code of ALL_CODES) {
      expect(english.errors[code]).toMatch(/^[A-Z].*\.$/);
      expect(problemPage(context, { problem: { code, retryAfter: 30 } })).toContain(english.problemTitles[code]);
    }
  });

  test("leads nobody from a problem to settings that would answer with the same problem", () => {
    const wayOut = (code: ErrorCode): unknown => {
      const links = tags(problemPage(context, { problem: { code } }), "a").map((tag) => attribute(tag, "href"));
      return links.at(-1);
    };
    expect([wayOut("acting-login"), wayOut("denied")]).toEqual([context.base, context.loginPath]);
  });

  test("lives below the path it is mounted at", () => {
    for (const page of Object.values(everyPage(contextWith({ base: "/app/2fa" })))) expect(page).not.toContain('"/2fa');
  });
});

describe("the code field", () => {
  test("of an authenticator is one text field for digits that the phone can fill in", () => {
    const page = challengePage(context, challengeWith());
    const field = codeFieldOf(page);
    expect(tags(page, "input").filter((tag) => attribute(tag, "type") === "text")).toHaveLength(1);
    expect(attribute(field, "type")).toBe("text");
    expect(attribute(field, "inputmode")).toBe("numeric");
    expect(attribute(field, "autocomplete")).toBe("one-time-code");
    expect(field).toMatch(/\sautofocus/);
    expect(field).not.toMatch(/maxlength|pattern|aria-invalid/);
    expect(formsTo(page, "/2fa/totp")).toHaveLength(1);
  });

  test("of a backup code is not filled in, corrected or spell-checked", () => {
    const page = challengePage(context, challengeWith({ selected: "backup-code" }));
    const field = codeFieldOf(page);
    expect(attribute(field, "autocomplete")).toBe("off");
    expect(attribute(field, "autocapitalize")).toBe("characters");
    expect(attribute(field, "spellcheck")).toBe("false");
    expect(field).not.toContain("inputmode");
    expect(formsTo(page, "/2fa/backup-code")).toHaveLength(1);
  });

  test("says what is wrong, and the sentence is tied to it and announced", () => {
    const page = challengePage(context, challengeWith({ problem: { code: "invalid-code" } }));
    const field = codeFieldOf(page);
    const alert = tags(page).find((tag) => attribute(tag, "role") === "alert");
    expect(attribute(field, "aria-invalid")).toBe("true");
    expect(attribute(field, "aria-describedby")!.split(" ")).toContain(attribute(alert, "id"));
    expect(page).toContain(english.errors["invalid-code"]);
    expect(page).toContain("<title>Problem: ");
  });

  test.each<[PageProblem, string]>([
    [{ code: "too-many-attempts", retryAfter: 1 }, "Wait 1 minute,"],
    [{ code: "too-many-attempts", retryAfter: 61 }, "Wait 2 minutes,"],
    [{ code: "too-many-attempts", retryAfter: 86_400 }, "Wait 24 hours,"],
    [{ code: "too-many-attempts" }, english.wait.noEnd],
    [{ code: "invalid-request" }, words.methods.totp!.challenge.unreadable],
  ])("tells what to do about %j", (problem, sentence) => {
    expect(unescaped(challengePage(context, challengeWith({ problem })))).toContain(sentence);
  });

  test("is not called wrong when there were only too many attempts", () => {
    const page = challengePage(context, challengeWith({ problem: { code: "too-many-attempts", retryAfter: 60 } }));
    expect(page).not.toContain("aria-invalid");
  });

  test.each([
    [4, "Your phone's clock is about 4 minutes ahead. Switch on automatic time, then try again."],
    [-1, "Your phone's clock is about 1 minute behind. Switch on automatic time, then try again."],
  ])("of an enrollment tells that the phone's clock is off by %d", (clockOffMinutes, sentence) => {
    const page = totpEnrollment(context, { factorId: "f", problem: { code: "invalid-code", clockOffMinutes } });
    expect(unescaped(page)).toContain(sentence);
    expect(page).not.toMatch(/<svg[^>]*xmlns|otpauth/);
  });
});

describe("the challenge", () => {
  test("offers the visitor's other methods, and invents none", () => {
    const page = challengePage(context, challengeWith());
    expect(page).toContain('href="/2fa?method=backup-code"');
    expect(page).not.toContain('href="/2fa?method=totp"');
    const only = challengePage(context, challengeWith({ methods: challengeWith().methods.slice(0, 1) }));
    expect(only).not.toContain("?method=");
  });

  test("shows who is signing in and a way to be somebody else", () => {
    const page = challengePage(context, challengeWith());
    expect(page).toContain("<strong>ada@example.com</strong>");
    expect(formsTo(page, "/2fa/cancel")).toHaveLength(1);
  });

  test("offers to trust the browser only where that is allowed, with the days", () => {
    expect(challengePage(context, challengeWith({ trustDays: 1 }))).toContain("for 1 day.");
    const box = /<input[^>]*name="trustDevice"[^>]*>/.exec(challengePage(context, challengeWith()))?.[0];
    expect(attribute(box, "value")).toBe("true");
    expect(box).not.toContain("checked");
    expect(challengePage(context, challengeWith({ trustDays: undefined }))).not.toContain("trustDevice");
  });

  test("asks to sign in again where nothing is enrolled", () => {
    const page = challengePage(context, challengeWith({ purpose: "step-up", methods: [], selected: undefined }));
    expect(codeFieldOf(page)).toBeUndefined();
    expect(formsTo(page, "/2fa/sign-in-again")).toHaveLength(1);
  });

  test("does not call it an error that it is shown", () => {
    const page = challengePage(context, challengeWith({ purpose: "step-up", problem: { code: "step-up-required" } }));
    expect(page).not.toContain('role="alert"');
  });
});

describe("a passkey", () => {
  const methods = [
    { type: "passkey" as const, factors: [{ id: "p1", label: "Laptop", hint: "synced" }] },
    ...challengeWith().methods,
  ];
  const asked = challengePage(context, challengeWith({ methods, selected: "passkey" }));

  test("is asked for by a form that waits for the script; without it a sentence and the other ways are there", () => {
    const [form = ""] = formsTo(asked, "/2fa/passkey");
    expect(tags(form, "form")[0]).toMatch(/\shidden/);
    expect(tags(form, "input").map((tag) => attribute(tag, "name"))).toEqual(["shown", "trustDevice", "credential"]);
    expect(asked).toContain(words.methods.passkey!.dialog.needsScript);
    expect(asked).toContain('href="/2fa?method=totp"');
    expect(asked).toContain('href="/2fa?method=backup-code"');
    expect(codeFieldOf(asked)).toBeUndefined();
  });

  test("is a way among others", () => {
    const page = challengePage(context, challengeWith({ methods }));
    expect(page).toContain('href="/2fa?method=passkey"');
    expect(formsTo(page, "/2fa/passkey")).toEqual([]);
  });

  test("that was refused is told above the form, with what else can be done", () => {
    const view = challengeWith({ methods, selected: "passkey", problem: { code: "invalid-passkey" } });
    const page = challengePage(context, view);
    expect(page).toContain(english.errors["invalid-passkey"]);
    expect(page).toContain("<title>Problem: ");
    expect(page).toContain('href="/2fa?method=totp"');
  });

  test("can be the first factor, beside the authenticator app or alone", () => {
    const both = setUpPage(context, { accountName: "ada" });
    expect(formsTo(both, "/2fa/passkey/enroll")).toHaveLength(1);
    expect(formsTo(both, "/2fa/totp/enroll")).toHaveLength(1);
    const alone = setUpPage(contextWith({ pages: pagesOf("passkey") }), { accountName: "ada" });
    expect(formsTo(alone, "/2fa/totp/enroll")).toEqual([]);
    const first = settingsPage(context, settingsWith({ settings: NOTHING_YET }));
    expect(formsTo(first, "/2fa/passkey/enroll")).toHaveLength(1);
    expect(formsTo(first, "/2fa/totp/enroll")).toHaveLength(1);
  });

  test("asks for the password with each form for a first factor, under names of their own", () => {
    const view = settingsWith({
      settings: NOTHING_YET,
      needsStepUp: true,
      asksPassword: true,
    });
    const page = settingsPage(context, view);
    for (const action of ["/2fa/passkey/enroll", "/2fa/totp/enroll"]) {
      expect(formsTo(page, action)[0]).toContain('name="password"');
    }
  });

  test("is listed with where it lives, in words, and can be renamed and removed", () => {
    const factors = ["synced", "device-bound"].map((hint, index) => ({
      id: `p${index}`,
      type: "passkey" as const,
      label: `Key ${index}`,
      createdAt: "2026-11-21T03:15:00.000Z",
      lastUsedAt: null,
      hint,
    }));
    const page = settingsPage(context, settingsWith({ settings: { ...settingsOf("Phone"), factors } }));
    expect(page).toContain("Synced between your devices");
    expect(page).toContain("On this device or key only");
    expect(page).not.toContain("device-bound");
    for (const action of ["rename", "remove"]) expect(formsTo(page, `/2fa/factors/p1/${action}`)).toHaveLength(1);
    expect(formsTo(page, "/2fa/totp/resync")).toEqual([]);
  });
});

describe("a step-up", () => {
  test("shows what exactly is confirmed, as text with a direction of its own", () => {
    const page = challengePage(
      context,
      challengeWith({ purpose: "step-up", operation: { id: "op1", text: "Pay 100 EUR to <b>Ann</b>" } }),
    );
    expect(page).toContain('<p dir="auto">Pay 100 EUR to &lt;b&gt;Ann&lt;/b&gt;</p>');
    expect(page).not.toContain(english.challenge.stepUpLead);
  });

  test("without words of the application says in general what it is for", () => {
    expect(challengePage(context, challengeWith({ purpose: "step-up" }))).toContain(english.challenge.stepUpLead);
  });
});

test("a wrong first code is not called one that was used", () => {
  const page = totpEnrollment(context, { factorId: "f", problem: { code: "invalid-code" } });
  expect(page).toContain(words.methods.totp!.enroll.codeRefused);
  expect(page).not.toContain("only once");
});

describe("the backup codes", () => {
  const page = codesPage(context, {
    codes: ["A-1", "B-2"],
    continueTo: "/a/b?x=1&y=%26&x=2#part",
    isFirst: true,
  });

  test("go on only with the box ticked, to where the server knows of: the page names no address", () => {
    const [form = ""] = formsTo(page, "/2fa/backup-codes/saved");
    expect(attribute(tags(form, "form")[0], "method")).toBe("post");
    expect(tags(form, "input")).toHaveLength(1);
    expect(tags(form, "input")[0]).toMatch(/type="checkbox" required/);
    expect(page).not.toContain("/a/b");
  });

  test("can be read without a script; buttons that need one are hidden", () => {
    expect(page).toContain("<code>A-1</code>");
    expect(page).toMatch(/<div class="sf-tools" hidden/);
    expect(unescaped(page)).toContain('data-copy="A-1\nB-2"');
  });
});

describe("the settings", () => {
  const page = settingsPage(context, settingsWith());

  test.each([
    "/2fa/factors/f2/rename",
    "/2fa/factors/f2/remove",
    "/2fa/totp/resync",
    "/2fa/totp/enroll",
    "/2fa/backup-codes",
    "/2fa/devices/d2/revoke",
    "/2fa/devices/revoke-all",
    "/2fa/sessions/revoke-others",
    "/2fa/disable",
  ])("have a form that posts to %s", (action) => {
    expect(attribute(tags(formsTo(page, action)[0] ?? "", "form")[0], "method")).toBe("post");
  });

  test.each(["factors/f2/remove", "disable", "backup-codes", "devices/revoke-all", "sessions/revoke-others"])(
    "ask twice before %s",
    (action) => {
      expect(detailsAround(page, `/2fa/${action}`)).toBe(true);
    },
  );

  test("ask for two codes in a row to find a clock again", () => {
    const form = formsTo(page, "/2fa/totp/resync")[1] ?? "";
    expect(tags(form, "input").filter((tag) => attribute(tag, "name") === "codes")).toHaveLength(2);
    expect(form).toContain('name="factorId" value="f2"');
  });

  test("write times so that people and scripts read them", () => {
    expect(page).toContain('<time datetime="2026-11-21T03:15:00.000Z">21 Nov 2026, 03:15 UTC</time>');
  });

  test.each([
    [3, "3 codes left"],
    [2, "Only 2 codes left"],
    [1, "Only 1 code left"],
    [0, "No codes left"],
  ])("with %d backup codes say so", (remaining, sentence) => {
    const settings = { ...settingsOf("Phone"), backupCodes: { remaining, createdAt: null } };
    expect(settingsPage(context, settingsWith({ settings }))).toContain(sentence);
  });

  test("ask for a password only for a first factor, when the proof is stale and the application can check it", () => {
    const asks = (changes: object): boolean => settingsPage(context, settingsWith(changes)).includes('name="password"');
    expect(asks({ settings: NOTHING_YET, needsStepUp: true, asksPassword: true })).toBe(true);
    expect(asks({ settings: NOTHING_YET, needsStepUp: true, asksPassword: false })).toBe(false);
    expect(asks({ settings: NOTHING_YET, needsStepUp: false, asksPassword: true })).toBe(false);
    expect(asks({ needsStepUp: true, asksPassword: true })).toBe(false);
  });

  test("say that changes need a fresh proof, and where to give it", () => {
    expect(settingsPage(context, settingsWith({ needsStepUp: true }))).toContain('href="/2fa?confirm=settings"');
    const first = settingsPage(context, settingsWith({ settings: NOTHING_YET, needsStepUp: true }));
    expect(formsTo(first, "/2fa/sign-in-again")).toHaveLength(1);
    expect(page).not.toContain(english.settings.stepUp);
  });

  test("do not offer what the policy forbids", () => {
    const settings = { ...settingsOf("Phone"), factors: settingsOf("Phone").factors.slice(-1) };
    const strict = settingsPage(context, settingsWith({ required: true, settings }));
    expect(strict).toContain(english.settings.factors.keepOne);
    expect(formsTo(strict, "/2fa/factors/f2/remove")).toEqual([]);
    expect(formsTo(strict, "/2fa/disable")).toEqual([]);
  });

  test("leave out what is not installed", () => {
    const bare = settingsPage(contextWith({ pages: pagesOf() }), settingsWith({ hasTrustedDevices: false }));
    expect(bare).not.toContain("/2fa/backup-codes");
    expect(bare).not.toContain("/2fa/devices");
    expect(bare).not.toContain("/2fa/totp/enroll");
  });

  test("say in words that there is nothing yet", () => {
    const empty = settingsPage(context, settingsWith({ settings: NOTHING_YET }));
    for (const section of ["factors", "activity"] as const) {
      expect(empty).toContain(english.settings[section].none);
    }
    expect(empty).not.toContain(english.settings.sessions.title);
    expect(empty).not.toContain("/2fa/disable");
  });

  test("call what they do not know a change of the security settings", () => {
    const activity = ["toString", "__proto__", "new-thing"].map((action) => activityOf({ action }));
    const unknown = settingsPage(context, settingsWith({ settings: { ...NOTHING_YET, activity } }));
    expect(unknown.split(english.settings.activity.other)).toHaveLength(4);
  });
});

describe("an application's own words and frame", () => {
  test("take the place of the built-in ones, and the rest stays", () => {
    const messages = mergeMessages(words, {
      common: { continue: "Weiter" },
      challenge: { trust: (days) => `${days} <T>` },
    });
    const page = challengePage(contextWith({ messages, lang: "de" }), challengeWith());
    expect(page).toContain('<html lang="de">');
    expect(page).toContain(">Weiter</button>");
    expect(page).toContain("30 &lt;T&gt;");
    expect(page).toContain(words.methods.totp!.challenge.title);
    expect(english.common.continue).toBe("Continue");
  });

  test("cover every word: with all of them replaced nothing English is left", () => {
    const replaced = (value: unknown): unknown => {
      if (typeof value === "string") return "Ж";
      if (typeof value === "function") return () => "Ж";
      return Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, replaced(inner)]));
    };
    const messages = mergeMessages(words, replaced(words) as MessageOverrides);
    for (const page of Object.values(everyPage(contextWith({ messages, issuer: "И" }), "Ф"))) {
      const body = page.slice(page.indexOf("<title>")).replace(/<(?:"[^"]*"|[^">])*>/g, " ");
      expect(body.replace(/AAAA-BBBB|Work phone|acme\.example\/2fa\/push\/approve/g, "")).not.toMatch(/[A-Za-z]/);
      const spoken = tags(page).flatMap((tag) =>
        ["aria-label", "data-copied", "data-not-copied"].map((name) => attribute(tag, name) ?? ""),
      );
      expect(spoken.join("")).not.toMatch(/[A-Za-z]/);
    }
  });

  test("that are no messages, or of the wrong kind, are named", () => {
    const overrides = {
      titel: "x",
      wait: { minutes: "soon" },
      common: "x",
      errors: { expired: undefined, conflict: null },
      methods: { totp: { titel: "x", challenge: { hint: "x" } }, "sms-code": { name: "x" } },
    };
    expect(messageProblems(words, overrides)).toEqual([
      expect.stringMatching(/^messages.titel is not a message; there are direction, common, /),
      "messages.wait.minutes must be a function that answers text",
      "messages.common must be an object of messages",
      "messages.errors.conflict must be text",
      expect.stringMatching(/^messages.methods.totp.titel is not a message; there are name, /),
      "messages.methods.totp.challenge.hint must be a function that answers text",
      "messages.methods.sms-code is not a message; there are passkey, totp, backup-code, email-code, push",
    ]);
    expect(messageProblems(words, words)).toEqual([]);
  });

  test("say the issuer in titles and above pages, and nowhere of their own accord where it is hidden", () => {
    for (const page of Object.values(everyPage(contextWith({ issuer: "A & B" }), "<i>"))) {
      expect(page).toMatch(/<title>[^<]* – A &amp; B<\/title>/);
      expect(page).toContain('<p class="sf-brand">A &amp; B</p>');
      expect(page).toContain(`href="/2fa/assets/style.${STYLE_SHEET.hash}.css"`);
      expect(page).toContain('<div class="sf" dir="ltr" data-turbo="false" data-hx-boost="false">');
    }
    for (const page of Object.values(everyPage(contextWith({ issuer: "A & B", showsIssuer: false }), "<i>"))) {
      expect(page).not.toMatch(/sf-brand|<title>[^<]*A &amp; B/);
    }
  });
});

describe("the style sheet", () => {
  const sheet = readFileSync(new URL("../../lib/pages/assets/style.css", import.meta.url), "utf8");
  const [light = "", dark = ""] = sheet.match(/:where\(:root\) \{[^}]*\}/g) ?? [];
  const colorOf = (scheme: string, name: string): string => new RegExp(`--sf-${name}: (#\\w{6});`).exec(scheme)![1]!;

  test.each([
    ["light", light],
    ["dark", dark],
  ])("has readable colours in the %s scheme (WCAG 2.2, 1.4.3 and 1.4.11)", (_name, scheme) => {
    const pairs: [text: string, ground: string, least: number][] = [
      ...["page", "card", "accent-soft", "danger-soft", "warning-soft"].map((ground): [string, string, number] => [
        "text",
        ground,
        4.5,
      ]),
      ...["page", "card"].flatMap((ground) =>
        ["muted", "accent", "danger"].map((text): [string, string, number] => [text, ground, 4.5]),
      ),
      ["accent", "accent-soft", 4.5],
      ["success", "success-soft", 4.5],
      ["success", "card", 4.5],
      ["on-accent", "accent", 4.5],
      ["on-accent", "accent-strong", 4.5],
      ["on-danger", "danger", 4.5],
      ["on-danger", "danger-strong", 4.5],
      ["field-line", "card", 3],
      ["field-line", "page", 3],
      ["warning", "warning-soft", 3],
    ];
    const poor = pairs.filter(
      ([text, ground, least]) => contrast(colorOf(scheme, text), colorOf(scheme, ground)) < least,
    );
    expect(poor).toEqual([]);
  });

  test("loads nothing and says at its top what can be set", () => {
    expect(sheet).not.toMatch(/url\(|@import/);
    const top = sheet.slice(0, sheet.indexOf("*/"));
    const properties = [...light.matchAll(/(--sf-[a-z-]+):/g)].map((match) => match[1]!);
    expect(properties.filter((name) => !top.includes(`${name} `))).toEqual([]);
  });
});
