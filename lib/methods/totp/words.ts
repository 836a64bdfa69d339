import type { CodeChallengeWords } from "../../pages/code-page.js";
import { withLabels } from "../../pages/english-numbers.js";
import type { MethodWords } from "../../pages/messages.js";

/** What is said of authenticator apps. */
export interface TotpWords extends MethodWords {
  readonly challenge: CodeChallengeWords;
  /** In place of the challenge's own words, where authenticators were taken over whose codes have eight digits. */
  readonly eightDigits: Pick<CodeChallengeWords, "label" | "unreadable">;
  /** The same, where others of the same user have six. */
  readonly sixOrEightDigits: Pick<CodeChallengeWords, "label" | "unreadable">;
  /** Where the policy demands a factor. */
  readonly setUp: {
    /** Where an app is the only way, or the first. */
    readonly needTitle: string;
    readonly needPhone: string;
    readonly needMinutes: string;
    readonly submit: string;
  };
  readonly enroll: {
    readonly title: string;
    readonly lead: string;
    readonly appTitle: string;
    readonly appLead: string;
    readonly scanTitle: string;
    readonly scanLead: string;
    readonly qrAlternative: string;
    readonly openApp: string;
    readonly secretTitle: string;
    readonly secretLead: string;
    readonly copySecret: string;
    readonly codeTitle: string;
    readonly codeLabel: string;
    readonly codeHint: string;
    readonly submit: string;
    readonly confirmTitle: string;
    readonly confirmLead: string;
    readonly confirmAppLead: string;
    /** The first code of a new authenticator is not right. */
    readonly codeRefused: string;
    /** The link that shows the key and the QR code once more. */
    readonly showAgain: string;
  };
  readonly settings: {
    readonly addTitle: string;
    readonly addFirstTitle: string;
    readonly addSubmit: string;
    /** Of an authenticator in the list. */
    readonly eightDigits: string;
    readonly resync: string;
    readonly resyncLead: string;
    readonly resyncFirst: string;
    readonly resyncSecond: string;
    readonly resyncSubmit: string;
    /** On the page for a new phone. */
    readonly replaceLead: string;
    readonly replaceSubmit: string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly totp?: TotpWords;
  }
}

export const totpWords: TotpWords = {
  name: "Authenticator app",
  challenge: {
    title: "Enter the code from your app",
    choose: "Use your authenticator app",
    label: "6-digit code",
    hint: (issuer, labels) =>
      withLabels(`Open your authenticator app and enter the code it shows for ${issuer}.`, labels),
    unreadable: "Enter the 6 digits that your authenticator app shows.",
  },
  eightDigits: {
    label: "8-digit code",
    unreadable: "Enter the 8 digits that your authenticator app shows.",
  },
  sixOrEightDigits: {
    label: "Code of 6 or 8 digits",
    unreadable: "Enter all the digits that your authenticator app shows: 6, or 8.",
  },
  setUp: {
    needTitle: "What you need",
    needPhone: "A phone or computer with an authenticator app. Most password managers have one built in.",
    needMinutes: "About two minutes.",
    submit: "Set up an authenticator app",
  },
  enroll: {
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
    secretLead: "Keep it to yourself. It is not shown again once it is turned on.",
    copySecret: "Copy key",
    codeTitle: "Enter the code the app shows",
    codeLabel: "6-digit code",
    codeHint: "If the code is about to change, wait for the next one.",
    submit: "Turn on",
    confirmTitle: "Check the code once more",
    confirmLead: "Your app keeps the key you scanned. Nothing is turned on until a code is right.",
    confirmAppLead: "Open the app and enter the code it shows now.",
    codeRefused: "That code did not work. Check that the app shows it for this account, and enter the newest one.",
    showAgain: "Show the QR code again",
  },
  settings: {
    addTitle: "Add an authenticator app",
    addFirstTitle: "Add an authenticator app",
    addSubmit: "Add authenticator app",
    eightDigits: "8-digit codes",
    resync: "Codes refused?",
    resyncLead:
      "First switch on automatic time on the phone. If its codes are still refused, enter two codes in a row.",
    resyncFirst: "Code shown now",
    resyncSecond: "The code after it",
    resyncSubmit: "Adjust to this phone",
    replaceLead: "Install an authenticator app on the new phone. Next you scan a code with it.",
    replaceSubmit: "Set up the app on the new phone",
  },
};
