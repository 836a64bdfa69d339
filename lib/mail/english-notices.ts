import type { NoticeDetails } from "../events/notices.js";
import { counted, inAbout } from "../pages/english-numbers.js";
import type { NoticeKindMessages, NoticeMessages } from "./notice-words.js";

function named(what: string, { label }: NoticeDetails): string {
  return label === undefined ? what : `${what} “${label}”`;
}

function factor(details: NoticeDetails): string {
  return named("the authenticator", details);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const FACTORS = {
  "factor-enrolled": {
    title: (issuer) => `An authenticator was added to your ${issuer} account`,
    text: (details) => `${capital(factor(details))} can now be used as the second step when you sign in.`,
  },
  "factor-removed": {
    title: (issuer) => `An authenticator was removed from your ${issuer} account`,
    text: (details) => `${capital(factor(details))} can no longer be used to sign in.`,
  },
  "factor-renamed": {
    title: (issuer) => `An authenticator of your ${issuer} account was renamed`,
    text: ({ before = "", label = "" }) => `“${before}” is now called “${label}”.`,
  },
  "factor-replaced": {
    title: (issuer) => `An authenticator of your ${issuer} account was replaced`,
    text: (details) => `${capital(factor(details))} was replaced by another one, and can no longer be used to sign in.`,
  },
  "factor-imported": {
    title: (issuer) => `An authenticator was set up for your ${issuer} account`,
    text: (details) =>
      `${capital(factor(details))} was set up, and can now be used as the second step when you sign in.`,
  },
  "factor-reopened": {
    title: (issuer) => `A way to sign in to ${issuer} was opened again`,
    text: (details) =>
      `${capital(factor(details))} had been closed after too many ${details.reason === "back-off" ? "requests that were denied or not answered" : "wrong codes"}, and works again.`,
  },
  "factor-disabled": {
    title: (issuer) => `A way to sign in to ${issuer} was closed`,
    text: (details) =>
      `Somebody gave too many wrong codes. ${capital(factor(details))} is closed until you sign in another way.`,
  },
  "passkey-counter-regressed": {
    title: (issuer) => `A passkey of your ${issuer} account may have been copied`,
    text: () => "A passkey was used that may be a copy of yours. It was refused.",
  },
} satisfies Partial<NoticeMessages["kinds"]>;

const BACKUP_CODES = {
  "backup-codes-regenerated": {
    title: (issuer) => `New backup codes for your ${issuer} account`,
    text: () => "New backup codes were made. The ones from before no longer work.",
  },
  "backup-code-used": {
    title: (issuer) => `A backup code was used at ${issuer}`,
    text: ({ remaining }) =>
      `Somebody used one of your backup codes as the second step.${
        remaining === undefined ? "" : ` You have ${counted(remaining, "code")} left.`
      }`,
  },
  "backup-codes-low": {
    title: (issuer) => `Your backup codes for ${issuer} are running low`,
    text: ({ remaining = 0 }) =>
      remaining === 0
        ? "You have used your last backup code. Make new ones in your security settings."
        : `You have ${counted(remaining, "backup code")} left. Make new ones in your security settings before you need them.`,
  },
} satisfies Partial<NoticeMessages["kinds"]>;

function isGivenUp({ reason }: NoticeDetails): boolean {
  return reason === "given-up";
}

const SIGN_INS = {
  "device-trusted": {
    title: (issuer) => `A browser is now trusted by ${issuer}`,
    text: () => "On this browser you are not asked for a second step any more.",
  },
  "device-replayed": {
    title: (issuer) => `Somebody tried to get into your ${issuer} account with a copied cookie`,
    text: () =>
      "The cookie of a browser you trust was used a second time, from a copy. It was refused, and that browser is no longer trusted. Look for unwanted software on the computer it belongs to.",
  },
  "new-browser": {
    title: (issuer) => `Sign-in to ${issuer} on a new browser`,
    text: () => "Somebody signed in to your account on a browser that was not used for it before.",
  },
  "login-unfinished": {
    title: (issuer) => `Somebody knows your ${issuer} password`,
    text: (details) => {
      const times = details.count === undefined || details.count < 2 ? "" : ` ${details.count} times`;
      const then = isGivenUp(details) ? "did not go on to the second step" : "failed at the second step";
      return `Somebody gave your right password${times} and ${then}. They did not get in. If it was not you, change your password now.`;
    },
  },
  "push-reported": {
    title: (issuer) => `A request to approve something at ${issuer} was reported`,
    text: (details) =>
      `${capital(named("your device", details))} was asked to approve something, and the answer was “This wasn’t me”. It was refused, and no device is asked any more until another second step is used. If it was not you who asked, somebody may know your password: change it now.`,
  },
  locked: {
    title: (issuer) => `Too many wrong codes for your ${issuer} account`,
    text: () =>
      "There were too many wrong codes in a short time, so none is taken for a while. If it was not you, somebody may know your password: change it now.",
  },
} satisfies Partial<NoticeMessages["kinds"]>;

const ACCOUNT = {
  "session-revoked": {
    title: (issuer) => `A session of your ${issuer} account was signed out`,
    text: (details) => `${capital(named("the session", details))} was ended in your security settings.`,
  },
  "sessions-revoked": {
    title: (issuer) => `You were signed out of ${issuer} everywhere else`,
    text: () => "All other sessions were ended in your security settings, and no browser is trusted any more.",
  },
  "signed-out-everywhere": {
    title: (issuer) => `You were signed out of ${issuer} everywhere`,
    text: () => "All sessions of your account were ended, and no browser is trusted any more.",
  },
  "password-changed": {
    title: (issuer) => `Your ${issuer} password was changed`,
    text: () => "The password of your account was changed. No browser is trusted any more.",
  },
  "factor-resumed": {
    title: (issuer) => `A suspended authenticator of your ${issuer} account works again`,
    text: (details) =>
      `${capital(factor(details))} had been suspended since something in your account was reported, and can be used again.`,
  },
  "freeze-lifted": {
    title: (issuer) => `Your ${issuer} account can be changed again`,
    text: () =>
      "Since something in your account was reported, no authenticator could be added, changed or removed for a day. That was lifted before the day was over.",
  },
  reported: {
    title: (issuer) => `Something in your ${issuer} account was reported`,
    text: () =>
      "The link “This wasn’t me” in a mail to you was used. All sessions were ended, and for a day no authenticator can be added, changed or removed. Change your password now.",
  },
  "temporary-pass-issued": {
    title: (issuer) => `A temporary pass for your ${issuer} account was given out`,
    text: (_details, issuer) =>
      `Support of ${issuer} gave out a code that can be typed in the place of your second step, to set up a new authenticator. It opens nothing without your password. If it was not you who asked for help, somebody may know your password: change it now.`,
  },
  "temporary-pass-used": {
    title: (issuer) => `Sign-in to ${issuer} with a temporary pass`,
    text: () =>
      "Somebody signed in to your account with your password and the temporary pass that support gave out. Until a new authenticator is set up, that opens no more than the account itself.",
  },
  "acting-login": {
    title: (issuer) => `Support signed in to your ${issuer} account`,
    text: (_details, issuer) =>
      `Somebody at ${issuer} signed in to your account to act for you, for an hour at most. They cannot see or change how you sign in, nor do what asks for your second step. If you have not asked for help, report it.`,
  },
  "admin-reset": {
    title: (issuer) => `Two-step sign-in was reset for your ${issuer} account`,
    text: () =>
      "All authenticators and backup codes were removed from your account. Until you add one, your password alone opens it.",
  },
} satisfies Partial<NoticeMessages["kinds"]>;

function time({ until = "" }: NoticeDetails): string {
  return until;
}

const STOPPED: Readonly<Record<string, string>> = {
  link: "by a link in one of our mails",
  proof: "because somebody signed in with an authenticator of yours",
  settings: "in your security settings",
  report: "because something in your account was reported",
  refused: "because it was not approved",
  expired: "because nobody went on with it in time",
  reset: "because two-step sign-in was reset",
};

/** What makes a wait shorter, from the beginning. */
const SHOWN: Readonly<Record<string, string>> = {
  "trusted-browser": " It was asked for in a browser that your account trusts, so the waiting time is shorter.",
  "old-backup-code": " A code of an older set of your backup codes was shown with it, so the waiting time is shorter.",
};

function shown({ reason = "" }: NoticeDetails): string {
  return SHOWN[reason] ?? "";
}

const RECOVERY = {
  "recovery-requested": {
    title: (issuer) => `Did you ask to recover your ${issuer} account?`,
    text: (details) =>
      `Somebody who got through the first step of signing in says that every authenticator of yours is lost. Nothing has changed so far. If it was you, confirm it within 30 minutes: then a waiting time begins.${shown(details)}`,
  },
  "recovery-confirmed": {
    title: (issuer) => `Your ${issuer} account is being recovered`,
    text: (details) =>
      `A waiting time has begun. It ends on ${time(details)}: then a link is mailed that lets a new authenticator take the place of all others. Nothing has changed so far. Any sign-in with an authenticator of yours stops this.${shown(details)}`,
  },
  "recovery-shortened": {
    title: (issuer) => `The waiting time for your ${issuer} account is shorter now`,
    text: (details) =>
      `The recovery was confirmed from another address or number of your account, too. The waiting time ends on ${time(details)}: then a link is mailed that lets a new authenticator take the place of all others. Nothing has changed so far. Any sign-in with an authenticator of yours stops this.`,
  },
  "recovery-half-time": {
    title: (issuer) => `Your ${issuer} account is still being recovered`,
    text: (details) =>
      `Half of the waiting time is over. It ends on ${time(details)}: then a link is mailed that lets a new authenticator take the place of all others.`,
  },
  "recovery-ready": {
    title: (issuer) => `The waiting time for your ${issuer} account is over`,
    text: (details) =>
      `A new authenticator can be set up now, until ${time(details)}. Open the link in the browser that you want to use, and sign in there as far as you get. Your authenticators work until the new one does, and never again after.`,
  },
  "recovery-cancelled": {
    title: (issuer) => `The recovery of your ${issuer} account was stopped`,
    text: ({ reason = "" }) =>
      `It was stopped${STOPPED[reason] === undefined ? "" : ` ${STOPPED[reason]}`}. Your authenticators are as they were.`,
  },
  "recovery-completed": {
    title: (issuer) => `Your ${issuer} account was recovered`,
    text: (details) =>
      `A new authenticator was set up. All others and all backup codes stopped working, and everybody was signed out. Until ${time(details)} sensitive actions are not possible.`,
  },
  "recovery-opted-out": {
    title: (issuer) => `Recovery was switched off for your ${issuer} account`,
    text: () => "If you lose every authenticator and your backup codes, no link in a mail lets you in any more.",
  },
  "recovery-opted-in": {
    title: (issuer) => `Recovery was switched on for your ${issuer} account`,
    text: () => "If you lose every authenticator, you can set up a new one by links in mails, after a waiting time.",
  },
} satisfies Partial<NoticeMessages["kinds"]>;

const kinds: Readonly<Record<keyof NoticeMessages["kinds"], NoticeKindMessages>> = {
  ...FACTORS,
  ...BACKUP_CODES,
  ...SIGN_INS,
  ...ACCOUNT,
  ...RECOVERY,
};

/**
 * What mails to owners say where nothing else is given: all the words there are, for whoever writes them in another language.
 *
 * @example
 * ```ts
 * import { englishNotices } from "express-second-factor/mail";
 *
 * const subjects = Object.values(englishNotices.kinds).map(({ title }) => title("Acme"));
 * ```
 */
export const englishNotices: NoticeMessages = {
  lang: "en",
  kinds,
  when: "When",
  browser: "Browser",
  address: "Network address",
  number: "Number",
  unknownBrowser: "Unknown browser",
  ended: ({ browsers, sessions }) => {
    const ended = [
      ...(sessions > 0 ? [`${counted(sessions, "session")} ended`] : []),
      ...(browsers > 0 ? [`${counted(browsers, "browser")} no longer trusted`] : []),
    ];
    return `With it: ${ended.join(", ")}.`;
  },
  byStaff: (issuer) => `It was done for you by ${issuer}.`,
  timeLeft: "Time left",
  duration: (minutes) => inAbout(minutes),
  wasYou: "Was it you, or do you know about it? Then there is nothing more to do.",
  wasYouRecovering:
    "Was it you? Then there is nothing to do about this mail: the link to go on with comes to the e-mail address of your account. The one below stops the recovery at any time.",
  wasYouGoingOn: "Was it you? Then go on here:",
  wasYouVouching: "Was it you? Then say so from here, too, and the waiting time gets shorter:",
  wasNotYou: "Was it not you?",
  reportLead:
    "Open the page below. It says what it is going to do, and does nothing before you press its button. The link works once, for 7 days.",
  report: "This wasn’t me",
  confirm: "Confirm that it is you",
  vouch: "Confirm from here, too",
  complete: "Set up a new authenticator",
  cancelLead:
    "Open the page below. It says what it is going to do, and does nothing before you press its button. Then change your password.",
  cancel: "Stop the recovery",
  withoutLink: (issuer) =>
    `Open the security settings of ${issuer} yourself, sign out everywhere else, and change your password.`,
  genuine: (number, issuer) =>
    `To tell whether this mail is genuine: open the security settings of ${issuer} yourself. What happened is in “Recent activity” there, as number ${number}. If it is not, though entries with lower numbers are, somebody else wrote this mail. We never ask for your password or for a code.`,
};
