import type { Notice, NoticeDetails, NoticeKind } from "../events/notices.js";
import type { Overrides } from "../pages/words.js";

/** What happened, in a mail. */
export interface NoticeKindMessages {
  /** Subject and heading. Locked screens show it: no names, no numbers. */
  readonly title: (issuer: string) => string;
  /** A sentence or two. Names in `details` are made harmless: no mail program reads a link in them; `until` is written as a time in the mail's language. */
  readonly text: (details: NoticeDetails, issuer: string) => string;
}

/** Every word of the mails that tell owners what happened. */
export interface NoticeMessages {
  /** Of these words (BCP 47): for screen readers, dates and the mail's `Content-Language`. */
  readonly lang: string;
  readonly kinds: Readonly<Record<NoticeKind, NoticeKindMessages>>;
  /** Left of what they name. */
  readonly when: string;
  readonly browser: string;
  readonly address: string;
  readonly number: string;
  /** In the place of a browser that calls itself what could be read as a link. */
  readonly unknownBrowser: string;
  /** What ended with it; one of the two may be 0. */
  readonly ended: (ended: { readonly sessions: number; readonly browsers: number }) => string;
  /** Whoever did it for the user, where they did not do it themselves. */
  readonly byStaff: (issuer: string) => string;
  /** How long until the time that the text names, left of it, and in words: "about 12 hours". */
  readonly timeLeft: string;
  readonly duration: (minutes: number) => string;
  readonly wasYou: string;
  /** In its place, while a recovery is under way and this mail has nothing to go on with. */
  readonly wasYouRecovering: string;
  /** In its place, where a link follows that takes the recovery on. */
  readonly wasYouGoingOn: string;
  /** In its place, where a link follows that makes its wait shorter. */
  readonly wasYouVouching: string;
  readonly wasNotYou: string;
  /** What the link leads to, and what it is called. */
  readonly reportLead: string;
  readonly report: string;
  /** What the links of a recovery are called: they take it on. */
  readonly confirm: string;
  readonly vouch: string;
  readonly complete: string;
  /** As the two of a report, for a recovery that is under way. */
  readonly cancelLead: string;
  readonly cancel: string;
  /** Where there is no link. */
  readonly withoutLink: (issuer: string) => string;
  /** How to tell a forged mail. */
  readonly genuine: (number: number, issuer: string) => string;
}

/** Words to replace. */
export type NoticeMessageOverrides = Overrides<NoticeMessages>;

/** The words of a language: an object to replace English ones with, or a function that answers one for each notice's language. */
export type NoticeWords = NoticeMessageOverrides | ((locale: Notice["locale"]) => NoticeMessageOverrides | undefined);
