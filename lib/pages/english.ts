import { once } from "../core/once.js";
import { englishDone as done, englishOthers as others } from "./english-done.js";
import { englishNewPhone as newPhone } from "./new-phone-words.js";
import { englishReport as report } from "./english-report.js";
import { englishRecovery as recovery } from "./english-recovery.js";
import { englishSettings as settings } from "./english-settings.js";
import { counted, listed } from "./english-numbers.js";
import type { Messages } from "./messages.js";

const dateTime = once(
  () =>
    new Intl.DateTimeFormat("en-GB", {
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZone: "UTC",
      timeZoneName: "short",
    }),
);

function waitOf(minutes: number): string {
  return minutes >= 120 ? counted(Math.ceil(minutes / 60), "hour") : counted(minutes, "minute");
}

function waitSentence(minutes: number): string {
  return `Too many attempts. Wait ${waitOf(minutes)}, then try again. Until then even a correct code is refused.`;
}

const errors: Messages["errors"] = {
  "invalid-request": "That could not be read. Check what you entered and try again.",
  "login-required": "You are not signed in. Sign in first, then come back to this page.",
  "second-factor-required": "One more step is needed to finish signing in. Continue to see which.",
  "step-up-required": "Before this change is made, confirm that it is you.",
  "invalid-code":
    "That code did not work. Check it and try again. Every code works only once, and most only for a short time.",
  "invalid-passkey": "That passkey was not accepted. Try again, or use another way to confirm that it is you.",
  "enrollment-required": "Your account needs two-step sign-in. Set it up to go on.",
  "acting-login":
    "You are signed in to act for somebody else. This is for themselves alone: sign out, and sign in as yourself.",
  frozen:
    "Something in this account was reported as not its owner's doing, so for a while no authenticator can be added, changed or removed. The security settings say until when.",
  denied: "This sign-in was refused. If it was you, ask for help.",
  probation:
    "This account was recovered a short while ago, so this is not possible yet. The security settings say until when.",
  "same-browser":
    "This is the browser that asks, and it cannot approve for itself. Approve on another device, or use another way.",
  "cross-site-request":
    "For your safety this was not done, because it was asked for by another site. Open the page here and try again.",
  "not-found": "There is nothing here. It may have been removed, or the link is not complete.",
  conflict:
    "That is already set up, there is no room for one more, or this sign-in is complete and has no need of it. The security settings show what there is.",
  "last-factor": "This is your last authenticator and your account needs one. Add another before you remove it.",
  expired: "It was left alone for too long, or ended from somewhere else. Start again.",
  "too-large": "What was sent is too large. Shorten it and try again.",
  "unsupported-media-type": "That could not be read. Go back and send the form again.",
  "too-many-attempts": "Too many attempts. Wait a while, then try again.",
  "delivery-failed": "The message could not be sent. Ask for it again in a minute, or use another way.",
  "login-failed": "Your sign-in could not be finished. Sign in again.",
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
  "acting-login": "You are acting for somebody else",
  frozen: "Changes are frozen for a while",
  denied: "You cannot sign in right now",
  probation: "Not yet",
  "same-browser": "Approve on another device",
  "cross-site-request": "That came from another site",
  "not-found": "There is nothing here",
  conflict: "Nothing was changed",
  "last-factor": "Keep at least one authenticator",
  expired: "This is over",
  "too-large": "That is too large",
  "unsupported-media-type": "That could not be read",
  "too-many-attempts": "Too many attempts",
  "delivery-failed": "The message could not be sent",
  "login-failed": "You are not signed in",
  unavailable: "Please try again in a minute",
};

const challenge: Messages["challenge"] = {
  stepUpTitle: "Confirm that it is you",
  stepUpLead: "You are about to see or change something that protects your account.",
  confirming: "You confirm",
  signingInAs: "Signing in as",
  signedInAs: "Signed in as",
  trust: (days) => `Do not ask again on this browser for ${counted(days, "day")}.`,
  trustAdvice: "Only on a device that is yours.",
  otherWays: "Try another way",
  closed: (names) =>
    `There were too many wrong codes, so ${names.length === 1 ? "this way is" : "these ways are"} closed: ${listed(names)}.`,
  limited: (names, minutes) =>
    `There were too many attempts, so ${names.length === 1 ? "this way has" : "these ways have"} to wait ${waitOf(minutes)}: ${listed(names)}.`,
  lost: (issuer) => `Lost your phone and your backup codes? Ask ${issuer} for help.`,
  notNow: "Not now, go back",
  nothingTitle: "Sign in again",
  nothingLead: "To be sure that it is you, sign in once more. You come back here.",
  noneLeftTitle: "You cannot sign in here right now",
  noneLeftLead: "The second factor of this account can no longer be used here, and there is no other. Ask for help.",
  suspendedLead:
    "What could confirm this is suspended, since something in this account was reported, and nothing else of it will do. Ask for help.",
  stuckTitle: "This cannot be changed right now",
  stuckLead:
    "Your account has a safer authenticator that you cannot use here right now. Until you can, what you signed in with changes nothing here. Ask for help.",
  overTitle: "This does not wait to be confirmed",
  overLead:
    "It was confirmed or called off already, or it took too long. Go back to where you began it, and try again.",
};

const setUp: Messages["setUp"] = {
  title: "Protect your account",
  lead: (issuer) =>
    `${issuer} asks for a second step when you sign in, so that a stolen password alone opens nothing. Set it up now to go on.`,
  signInAgainFirst: "You signed in a while ago. To set this up, sign in again first. You come back here.",
  nothing: "There is nothing that you can set up here yourself. Ask for help before you go on.",
};

const reopen: Messages["reopen"] = {
  title: "Somebody tried to guess your codes",
  lead: (names) => `There were too many wrong codes, so this no longer opens anything: ${listed(names)}.`,
  advice: "Whoever that was has your password, unless it was you. Change it first if you are not sure.",
  open: "Open it again",
  submit: "Yes, open it again",
  later: "Leave it closed",
};

const pass: Messages["pass"] = {
  link: "I have a temporary pass",
  title: "Sign in with a temporary pass",
  lead: "If you have lost what you use as the second step, the help desk can give you a code. With it you sign in and set up something new.",
  label: "Temporary pass",
  hint: (issuer) => `16 letters and digits that ${issuer} gave you. Never give them to anybody who calls you.`,
  unreadable: "Enter the 16 letters and digits of the pass.",
  back: "Back to signing in",
};

const callerCheck: Messages["callerCheck"] = {
  title: "Are you talking to support?",
  lead: (issuer) =>
    `Somebody at ${issuer} wants to know that it is you on the line. If you have called them, show the number and read it out. If somebody has called you, hang up: it may not be them.`,
  show: "Show the number",
  number: "Read out:",
  until: "Good until",
};

/**
 * The built-in words of everything but the methods, whose words come with them (`methods` is empty). A translation is another
 * value of this shape.
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
    dateTime: (time) => dateTime().format(time),
    continue: "Continue",
    cancel: "Cancel",
    signInAgain: "Sign in again",
    tryAgain: "Try again",
    toSettings: "Go to security settings",
    useAnotherAccount: "Use another account",
    copied: "Copied",
    notCopied: "Could not copy. Select the text and copy it yourself.",
  },
  errors,
  problemTitles,
  wait: {
    minutes: waitSentence,
    sending: (minutes) =>
      `The next message can be sent in ${waitOf(minutes)}. If a code was sent to you here, it still works.`,
    noEnd: "There were too many wrong codes, so this way is closed. Use another way to sign in, or ask for help.",
  },
  clock: (minutes) =>
    `Your phone's clock is about ${counted(Math.abs(minutes), "minute")} ${minutes > 0 ? "ahead" : "behind"}. ` +
    "Switch on automatic time, then try again.",
  methods: {},
  challenge,
  setUp,
  reopen,
  pass,
  callerCheck,
  report,
  recovery,
  newPhone,
  done,
  others,
  settings,
};
