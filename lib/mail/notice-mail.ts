import type { Notice, NoticeDetails } from "../events/notices.js";
import { dangerouslyTrustedHtml, type Html, html } from "../pages/html.js";
import type { NoticeMessages } from "./notice-words.js";

/** A mail but for whom it goes to. */
export interface NoticeMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Written {
  readonly notice: Notice;
  readonly words: NoticeMessages;
  readonly zone: string;
}

/**
 * Mail programs make a link of what looks like one, whoever wrote it: whoever names a browser or a factor writes into this mail. Wide
 * signs are taken for the narrow ones where the link is followed.
 */
function harmless(text: string): string {
  return text.replace(/[.:/@\u3002\uFF61\uFF0E\uFF1A\uFF0F\uFF20](?=\S)/gu, "$&\u2060");
}

function browserOf(browser: string, words: NoticeMessages): string {
  return /[.:/@\\]/.test(browser) ? words.unknownBrowser : browser;
}

function harmlessDetails(details: NoticeDetails): NoticeDetails {
  const entries = Object.entries(details).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "string" ? harmless(value) : value,
  ]);
  return Object.fromEntries(entries) as NoticeDetails;
}

/** "21 November 2026 at 12:00:00 UTC": whatever the language, with the zone it is in. */
function timeIn({ words, zone }: Written, iso: string): string {
  const format = { dateStyle: "long", timeStyle: "long", timeZone: zone } as const;
  return new Intl.DateTimeFormat(words.lang, format).format(new Date(iso));
}

interface Row {
  readonly name: string;
  readonly value: string;
}

/** Of a recovery that is under way: there is something to be done about it until then. */
function timeLeftOf({ notice, words }: Written): readonly Row[] {
  const { at, details, links } = notice;
  if (links.cancel === undefined || details.until === undefined) return [];
  const minutes = (Date.parse(details.until) - Date.parse(at)) / 60_000;
  return minutes > 0 ? [{ name: words.timeLeft, value: words.duration(minutes) }] : [];
}

function wasYou(written: Written): string {
  const { notice, words } = written;
  if (notice.links.cancel === undefined) return words.wasYou;
  if (isVouching(notice)) return words.wasYouVouching;
  return wayOnOf(written) === undefined ? words.wasYouRecovering : words.wasYouGoingOn;
}

function rowsOf(written: Written): readonly Row[] {
  const { notice, words } = written;
  const { browser, ip, number } = notice;
  return [
    { name: words.when, value: timeIn(written, notice.at) },
    ...timeLeftOf(written),
    ...(browser === undefined ? [] : [{ name: words.browser, value: browserOf(browser, words) }]),
    ...(ip === undefined ? [] : [{ name: words.address, value: ip }]),
    { name: words.number, value: String(number) },
  ];
}

/** What happened, in whole sentences. */
function sentencesOf(written: Written): readonly string[] {
  const { notice, words } = written;
  const { issuer, kind } = notice;
  const { until } = notice.details;
  // Nobody but us writes a time, and it is to be read.
  const details = { ...harmlessDetails(notice.details), ...(until && { until: timeIn(written, until) }) };
  return [
    words.kinds[kind].text(details, issuer),
    ...(details.ended === undefined ? [] : [words.ended(details.ended)]),
    ...(details.actor === undefined ? [] : [words.byStaff(issuer)]),
  ];
}

/** A link, and what it is called. */
interface Way {
  readonly text: string;
  readonly link: string;
}

/** To another channel than the address on file, after the wait has begun. */
function isVouching({ kind, links }: Notice): boolean {
  return kind === "recovery-confirmed" && links.confirm !== undefined;
}

/** What takes on what was begun; undefined where there is nothing to do. */
function wayOnOf({ notice, words }: Written): Way | undefined {
  const { links } = notice;
  if (links.confirm !== undefined)
    return { text: isVouching(notice) ? words.vouch : words.confirm, link: links.confirm };
  return links.complete === undefined ? undefined : { text: words.complete, link: links.complete };
}

/** What whoever it was not does about it. */
function wayBackOf({ notice: { issuer, links }, words }: Written): { readonly lead: string; readonly way?: Way } {
  const { cancel, report } = links;
  if (cancel !== undefined) return { lead: words.cancelLead, way: { text: words.cancel, link: cancel } };
  if (report !== undefined) return { lead: words.reportLead, way: { text: words.report, link: report } };
  return { lead: words.withoutLink(issuer) };
}

function textOf(written: Written, title: string): string {
  const { notice, words } = written;
  const { issuer, number } = notice;
  const lines = rowsOf(written).map(({ name, value }) => `${name}: ${value}`);
  const { lead, way: back } = wayBackOf(written);
  const on = wayOnOf(written);
  // Where two links stand, the one that keeps others out is told apart from the one that lets somebody in.
  const mark = on === undefined ? "" : ">>> ";
  const mend = back === undefined ? lead : `${lead}\n\n${mark}${back.text}: ${back.link}`;
  const parts = [
    title,
    sentencesOf(written).join(" "),
    lines.join("\n"),
    on === undefined ? wasYou(written) : `${wasYou(written)}\n${on.text}: ${on.link}`,
    `${words.wasNotYou} ${mend}`,
    words.genuine(number, issuer),
  ];
  return `${parts.join("\n\n")}\n`;
}

const FONT = "font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const TEXT = `${FONT}; font-size: 16px; line-height: 1.5; color: #171a24`;
const MUTED = `${FONT}; font-size: 14px; line-height: 1.5; color: #575d70`;

/** Mail programs that know no style sheet have the light colours, which stand at each element. */
const STYLE = dangerouslyTrustedHtml(`<style>
  :root { color-scheme: light dark; }
  @media (prefers-color-scheme: dark) {
    .page { background: #0f1117 !important; }
    .card { background: #191c25 !important; border-color: #2b2f3c !important; }
    .text, .value { color: #eceef5 !important; }
    .muted, .name { color: #a5abbe !important; }
    .line { border-color: #2b2f3c !important; }
    .link { color: #8ea4ff !important; }
    .button { background: #8ea4ff !important; color: #0f1117 !important; }
  }
  @media (max-width: 480px) {
    .outer { padding: 8px !important; }
    .card { padding: 20px !important; }
    .name, .value { display: block !important; width: auto !important; padding: 0 !important; }
    .value { padding-bottom: 10px !important; }
  }
</style>`);

function row({ name, value }: Row): Html {
  return html`<tr>
    <th
      class="name"
      scope="row"
      align="left"
      style="${MUTED}; font-weight: normal; padding: 6px 16px 4px 0; vertical-align: top; white-space: nowrap"
    >
      ${name}
    </th>
    <td class="value" style="${TEXT}; padding: 4px 0; vertical-align: top; width: 100%; overflow-wrap: anywhere">
      ${value}
    </td>
  </tr>`;
}

/** The button keeps others out; nobody is to press by mistake what lets somebody in. */
function plainLink({ link, text }: Way): Html {
  return html`<a class="link" href="${link}" style="color: #3351d1; text-decoration: underline">${text}</a>`;
}

function button({ link, text }: Way): Html {
  return html`<p style="margin: 0 0 24px">
    <a
      class="button"
      href="${link}"
      style="${FONT}; font-size: 16px; font-weight: 600; display: inline-block; padding: 12px 20px; border-radius: 10px; background: #3351d1; color: #ffffff; text-decoration: none"
      >${text}</a
    >
  </p>`;
}

function mend(written: Written): Html {
  const { lead, way } = wayBackOf(written);
  return html`<p class="text" style="${TEXT}; margin: 0 0 16px"><strong>${written.words.wasNotYou}</strong> ${lead}</p>
    ${way && button(way)}`;
}

function facts(written: Written): Html {
  return html`<table
    class="line"
    role="presentation"
    cellpadding="0"
    cellspacing="0"
    border="0"
    style="width: 100%; border-top: 1px solid #e4e6ee; border-bottom: 1px solid #e4e6ee; margin: 0 0 20px"
  >
    <tr>
      <td style="padding: 8px 0">
        <table cellpadding="0" cellspacing="0" border="0" style="width: 100%">
          ${rowsOf(written).map(row)}
        </table>
      </td>
    </tr>
  </table>`;
}

function card(written: Written, title: string): Html {
  const { notice, words } = written;
  const { issuer, number } = notice;
  const on = wayOnOf(written);
  return html`<div
    class="card"
    style="max-width: 544px; text-align: start; background: #ffffff; border: 1px solid #e4e6ee; border-radius: 16px; padding: 32px"
  >
    <p class="muted" style="${MUTED}; font-weight: 600; margin: 0 0 12px">${issuer}</p>
    <h1 class="text" style="${TEXT}; font-size: 22px; line-height: 1.3; font-weight: 600; margin: 0 0 12px">
      ${title}
    </h1>
    <p class="text" style="${TEXT}; margin: 0 0 20px">${sentencesOf(written).join(" ")}</p>
    ${facts(written)}
    <p class="text" style="${TEXT}; margin: 0 0 12px">${wasYou(written)} ${on && plainLink(on)}</p>
    ${mend(written)}
    <p class="muted line" style="${MUTED}; margin: 0; padding-top: 16px; border-top: 1px solid #e4e6ee">
      ${words.genuine(number, issuer)}
    </p>
  </div>`;
}

const RIGHT_TO_LEFT = new Set(["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

function directionOf(lang: string): "ltr" | "rtl" {
  const [language = ""] = lang.toLowerCase().split("-");
  return RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
}

function documentOf(written: Written, title: string): string {
  const { lang } = written.words;
  const page = html`<!doctype html>
    <html lang="${lang}" dir="${directionOf(lang)}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>${title}</title>
        ${STYLE}
      </head>
      <body class="page" style="margin: 0; padding: 0; background: #f3f4f8">
        <table
          class="page"
          role="presentation"
          width="100%"
          cellpadding="0"
          cellspacing="0"
          border="0"
          style="background: #f3f4f8"
        >
          <tr>
            <td class="outer" align="center" style="padding: 32px 16px">${card(written, title)}</td>
          </tr>
        </table>
      </body>
    </html> `;
  return String(page);
}

/** What is told of a notice, as text and as HTML: no picture, nothing from elsewhere, nothing that tells who read it. */
export function noticeMail(notice: Notice, words: NoticeMessages, zone: string): NoticeMail {
  const written = { notice, words, zone };
  const title = words.kinds[notice.kind].title(notice.issuer);
  return { subject: title, text: textOf(written, title), html: documentOf(written, title) };
}
