import { englishSettings as settings } from "./english-settings.js";
import { counted } from "./english-numbers.js";
import type { Messages } from "./messages.js";

const DATE_TIME = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
  timeZoneName: "short",
});

const ANY_OF = new Intl.ListFormat("en", { type: "disjunction" });

function quotedList(labels: readonly string[]): string {
  return ANY_OF.format(labels.map((label) => `“${label}”`));
}

function waitSentence(minutes: number): string {
  const time = minutes >= 120 ? counted(Math.ceil(minutes / 60), "hour") : counted(minutes, "minute");
  return `Too many attempts. Wait ${time}, then try again. Until then even a correct code is refused.`;
}

const errors: Messages["errors"] = {
  "invalid-request": "That could not be read. Check what you entered and try again.",
  "login-required": "You are not signed in. Sign in first, then come back to this page.",
  "second-factor-required": "One more step is needed to finish signing in. Continue to see which.",
  "step-up-required": "Before this change is made, confirm that it is you.",
  "invalid-code": "That code did not work. Every code works only once: check for a new one and try again.",
  "invalid-passkey": "That passkey was not accepted. Try again, or use another way to confirm that it is you.",
  "enrollment-required": "Your account needs two-step sign-in. Set it up to go on.",
  "cross-site-request":
    "For your safety this was not done, because it was asked for by another site. Open the page here and try again.",
  "not-found": "There is nothing here. It may have been removed, or the link is not complete.",
  conflict:
    "That is already set up, or there is no room for one more. Remove one that you no longer use, then try again.",
  "last-factor": "This is your last authenticator and your account needs one. Add another before you remove it.",
  expired: "To keep your account safe, a sign-in that is left alone is stopped. Start again.",
  "too-large": "What was sent is too large. Shorten it and try again.",
  "unsupported-media-type": "That could not be read. Go back and send the form again.",
  "too-many-attempts": "Too many attempts. Wait a while, then try again.",
  unavailable: "This cannot be checked right now. Nothing is lost: wait a minute and try again.",
};

const problemTitles: Messages["problemTitles"] = {
  "invalid-request": "That could not be read",
  "login-required": "Sign in first",
  "second-factor-required": "One more step to sign in",
  "step-up-required": "Confirm that it is you",
  "invalid-code": "That code did not work",
  "invalid-passkey": "That passkey was not accepted",
  "enrollment-required": "Set up two-step sign-in first",
  "cross-site-request": "That came from another site",
  "not-found": "There is nothing here",
  conflict: "That is already set up",
  "last-factor": "Keep at least one authenticator",
  expired: "That took too long",
  "too-large": "That is too large",
  "unsupported-media-type": "That could not be read",
  "too-many-attempts": "Too many attempts",
  unavailable: "Please try again in a minute",
};

const challenge: Messages["challenge"] = {
  totp: {
    title: "Enter the code from your app",
    label: "6-digit code",
    hint: (issuer, labels) => {
      const hint = `Open your authenticator app and enter the code it shows for ${issuer}.`;
      return labels.length > 1 ? `${hint} Any of these works: ${quotedList(labels)}.` : hint;
    },
    unreadable: "Enter the 6 digits that your authenticator app shows.",
    choose: "Use your authenticator app",
  },
  backupCode: {
    title: "Enter a backup code",
    label: "Backup code",
    hint: () => "Use any one of the codes you saved when you set this up. Each code works once.",
    unreadable: "Enter one whole backup code, the way you saved it.",
    choose: "Use a backup code",
  },
  passkey: {
    title: "Use your passkey",
    hint: (_issuer, labels) => {
      const hint = "Your browser asks for your fingerprint, face, screen lock or security key.";
      return labels.length > 1 ? `${hint} Any of these works: ${quotedList(labels)}.` : hint;
    },
    button: "Use your passkey",
    choose: "Use your passkey",
    cancelled: "No passkey was used, and nothing has changed. Try again, or choose another way.",
  },
  stepUpTitle: "Confirm that it is you",
  stepUpLead: "You are about to see or change something that protects your account.",
  confirming: "You confirm",
  signingInAs: "Signing in as",
  signedInAs: "Signed in as",
  trust: (days) => `Do not ask again on this browser for ${counted(days, "day")}.`,
  trustAdvice: "Only on a device that is yours.",
  otherWays: "Try another way",
  lost: (issuer) => `Lost your phone and your backup codes? Ask ${issuer} for help.`,
  notNow: "Not now, go to security settings",
  nothingTitle: "Sign in again",
  nothingLead: "To be sure that it is you, sign in once more. Then come back and try again.",
};

const setUp: Messages["setUp"] = {
  title: "Protect your account",
  lead: (issuer) =>
    `${issuer} asks for a second step when you sign in, so that a stolen password alone opens nothing. Set it up now to go on.`,
  needTitle: "What you need",
  needPhone: "A phone or computer with an authenticator app. Most password managers have one built in.",
  needMinutes: "About two minutes.",
  totp: "Set up an authenticator app",
  passkey: "Set up a passkey",
  passkeyTitle: "The quick way: a passkey",
  passkeyLead:
    "You confirm with your fingerprint, face or screen lock. There is no code to type, and nothing to steal.",
  nothing: "There is nothing that you can set up here yourself. Ask for help before you go on.",
};

const passkeyOffer: Messages["passkeyOffer"] = {
  title: "Skip the code next time",
  lead: "With a passkey you confirm with your fingerprint, face or screen lock. There is no code to type, and nothing that a fake site could take from you.",
  add: "Add a passkey",
  later: "Not now",
  never: "Don't ask again",
};

const enroll: Messages["enroll"] = {
  title: "Add an authenticator app",
  lead: "The app shows a new 6-digit code every 30 seconds. You enter one when you sign in.",
  appTitle: "Open your authenticator app",
  appLead:
    "Any app works: Google Authenticator, Microsoft Authenticator, 1Password, Bitwarden, Apple Passwords and others.",
  scanTitle: "Scan this QR code with the app",
  scanLead: "Choose “add” or “+” in the app, then point the camera at the code.",
  qrAlternative: "QR code to scan with an authenticator app. The same key is written out below as text.",
  openApp: "Open in an authenticator app on this device",
  secretTitle: "Cannot scan it? Enter this key in the app",
  secretLead: "Keep it to yourself. It is not shown again.",
  copySecret: "Copy key",
  codeTitle: "Enter the code the app shows",
  codeLabel: "6-digit code",
  codeHint: "If the code is about to change, wait for the next one.",
  submit: "Turn on",
  confirmTitle: "Check the code once more",
  confirmLead: "Your app keeps the key you scanned. Nothing is turned on until a code is right.",
  confirmAppLead: "Open the app and enter the code it shows now.",
  codeRefused: "That code did not work. Check that the app shows it for this account, and enter the newest one.",
  startOver: "Start over with a new QR code",
};

const backupCodes: Messages["backupCodes"] = {
  titleFirst: "Save your backup codes",
  titleReplaced: "Save your new backup codes",
  leadFirst: "Two-step sign-in is on. If you ever lose your phone, one of these codes gets you in instead.",
  leadReplaced: "Your old codes no longer work. If you ever lose your phone, one of these gets you in instead.",
  advice:
    "They are shown only now. Keep them where your phone is not: in a password manager, or on paper in a safe place.",
  list: "Backup codes",
  copy: "Copy",
  download: "Download",
  print: "Print",
  fileName: "backup-codes.txt",
  fileHeading: (issuer) => `Backup codes for ${issuer}`,
  fileAdvice: "Each code works once. Whoever has them can sign in with your password: keep them safe.",
  saved: "I have saved these codes",
};

/**
 * The built-in words. A translation is another value of this shape.
 *
 * @example
 * ```ts
 * import { english } from "express-second-factor";
 *
 * const unavailable = `${english.errors.unavailable} See status.acme.example.`;
 * app.use(secondFactor({ ..., pages: { messages: { errors: { unavailable } } } }));
 * ```
 */
export const english: Messages = {
  direction: "ltr",
  common: {
    pageTitle: (title, issuer) => `${title} – ${issuer}`,
    titleWithProblem: (title) => `Problem: ${title}`,
    dateTime: (time) => DATE_TIME.format(time),
    continue: "Continue",
    cancel: "Cancel",
    signInAgain: "Sign in again",
    tryAgain: "Try again",
    toSettings: "Go to security settings",
    useAnotherAccount: "Use another account",
    copied: "Copied",
    notCopied: "Could not copy. Select the text and copy it yourself.",
    passkeyNeedsScript:
      "Passkeys need JavaScript, and this browser has it switched off. Any other way works without it.",
    passkeyUnsupported: "This browser cannot use passkeys. Use another browser or device, or another way.",
    passkeyWaiting: "Follow what your browser asks.",
    passkeyFailed: "Your passkey could not be used here. Try again, or use another way.",
  },
  errors,
  problemTitles,
  wait: {
    minutes: waitSentence,
    noEnd: "There were too many wrong codes, so this way is closed. Use another way to sign in, or ask for help.",
  },
  clock: (minutes) =>
    `Your phone's clock is about ${counted(Math.abs(minutes), "minute")} ${minutes > 0 ? "ahead" : "behind"}. ` +
    "Switch on automatic time, then try again.",
  methods: {
    totp: "Authenticator app",
    "backup-code": "Backup code",
    passkey: "Passkey",
    "email-code": "Code by e-mail",
    "sms-code": "Code by text message",
    push: "Approval on your phone",
  },
  challenge,
  setUp,
  passkeyOffer,
  enroll,
  backupCodes,
  settings,
};
