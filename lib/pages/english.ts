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

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

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
  expired: "That took too long, so it was stopped to keep your account safe. Start again.",
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
  stepUpTitle: "Confirm that it is you",
  stepUpLead: "You are about to see or change something that protects your account.",
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
  nothing: "There is nothing that you can set up here yourself. Ask for help before you go on.",
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
  startOver: "Start over with a new QR code",
};

const backupCodes: Messages["backupCodes"] = {
  titleFirst: "Save your backup codes",
  titleReplaced: "Save your new backup codes",
  leadFirst: "Your authenticator works. If you ever lose your phone, one of these codes gets you in instead.",
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

const settings: Messages["settings"] = {
  title: "Two-step sign-in",
  account: "Account",
  on: "On",
  off: "Off",
  backToApplication: (issuer) => `Back to ${issuer}`,
  stepUp: "To change anything here, confirm first that it is you.",
  stepUpLink: "Confirm that it is you",
  signInAgainFirst: "You signed in a while ago. To add an authenticator, sign in again first.",
  factors: {
    title: "Authenticators",
    lead: "What you use as the second step when you sign in. Two on different devices keep you from being locked out.",
    none: "You have none yet: your password alone opens your account. Add an authenticator app to protect it.",
    added: "Added",
    lastUsed: "Last used",
    neverUsed: "Never used",
    rename: "Rename",
    name: "New name",
    save: "Save",
    resync: "Codes refused?",
    resyncLead:
      "First switch on automatic time on the phone. If its codes are still refused, enter two codes in a row.",
    resyncFirst: "Code shown now",
    resyncSecond: "The code after it",
    resyncSubmit: "Adjust to this phone",
    remove: "Remove",
    removeLead: (label) => `“${label}” can then no longer be used to sign in. You are signed out everywhere else.`,
    removeLastLead: (label) =>
      `“${label}” is the last one. Without it two-step sign-in is off, and your backup codes stop working.`,
    removeSubmit: "Yes, remove it",
    keepOne: "Your account needs at least one authenticator. Add another to be able to remove this one.",
    addTitle: "Add another authenticator app",
    addFirstTitle: "Add an authenticator app",
    addName: "Name (optional)",
    addNameHint: "To tell it from others, for example “Work phone”.",
    password: "Your password",
    passwordHint: "You signed in a while ago. Your password shows that it is still you.",
    addSubmit: "Add authenticator app",
  },
  codes: {
    title: "Backup codes",
    lead: "One-time codes for the day your phone is lost or broken.",
    remaining: (count) => `${counted(count, "code")} left`,
    few: (count) => `Only ${counted(count, "code")} left. Make new ones before you run out.`,
    none: "No codes left. If you lose your phone now, you cannot sign in. Make new ones.",
    made: "Made",
    replace: "Make new codes",
    replaceLead: "You get a new set, and every code you saved before stops working at once.",
    replaceSubmit: "Yes, replace my codes",
    first: "You get backup codes when you add your first authenticator.",
  },
  devices: {
    title: "Trusted browsers",
    lead: "Here you are not asked for a code. Remove any that you do not know.",
    none: "No browser is trusted: you are asked for a code at every sign-in.",
    current: "This browser",
    unnamed: "Unknown browser",
    lastUsed: "Last used",
    until: "Trusted until",
    revoke: "Remove",
    revokeNamed: (label) => `Remove ${label}`,
    revokeAll: "Remove all",
    revokeAllLead: "Every browser is then asked for a code at its next sign-in, this one too.",
    revokeAllSubmit: "Yes, remove all",
  },
  sessions: {
    title: "Where you are signed in",
    lead: "If you see a place that is not yours, sign out the others and change your password.",
    none: "Nothing to show yet.",
    onlyThis: "You are signed in nowhere else.",
    current: "This session",
    unnamed: "Unknown browser",
    since: "Signed in",
    verified: "Confirmed with a code",
    trusted: "Trusted browser",
    revoke: "Sign out everywhere else",
    revokeLead: "This session stays. All others end, and no browser is trusted any more.",
    revokeSubmit: "Yes, sign out the others",
  },
  activity: {
    title: "Recent activity",
    lead: "Something you do not remember doing? Change your password and sign out everywhere else.",
    none: "Nothing has happened yet.",
    older: "Show older activity",
    names: {
      "admin-reset": "Two-step sign-in reset by support",
      "backup-code-used": "Signed in with a backup code",
      "backup-codes-regenerated": "New backup codes made",
      "device-replayed": "A copied trusted-browser cookie was refused",
      "device-revoked": "Trusted browser removed",
      "factor-enrolled": "Authenticator added",
      "factor-failed": "Wrong code entered",
      "factor-imported": "Authenticator moved from an earlier system",
      "factor-removed": "Authenticator removed",
      "factor-verified": "Confirmed with a code",
      "password-changed": "Password changed",
      "sessions-revoked": "Signed out everywhere else",
      "signed-out-everywhere": "Signed out everywhere",
    },
    other: "Security settings changed",
  },
  disable: {
    title: "Switch off two-step sign-in",
    lead: "Your password alone then opens your account.",
    required: (issuer) => `${issuer} requires two-step sign-in for your account, so it cannot be switched off.`,
    open: "Switch off",
    confirm:
      "All authenticators, backup codes and trusted browsers are removed, and you are signed out everywhere else.",
    submit: "Yes, switch it off",
  },
};

/** The built-in words. A translation is another value of this shape. */
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
  enroll,
  backupCodes,
  settings,
};
