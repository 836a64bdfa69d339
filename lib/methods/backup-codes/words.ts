import type { CodeChallengeWords } from "../../pages/code-page.js";
import { counted } from "../../pages/english-numbers.js";
import type { MethodWords } from "../../pages/messages.js";

/** What is said of backup codes. */
export interface BackupCodesWords extends MethodWords {
  readonly challenge: CodeChallengeWords;
  /** The page that shows a new set. */
  readonly codes: {
    readonly titleFirst: string;
    readonly titleReplaced: string;
    readonly leadFirst: string;
    readonly leadReplaced: string;
    readonly advice: string;
    readonly list: string;
    readonly copy: string;
    readonly download: string;
    readonly print: string;
    readonly fileName: string;
    /** Heading of the downloaded file and of the printed page. */
    readonly fileHeading: (issuer: string) => string;
    readonly fileAdvice: string;
    readonly saved: string;
  };
  readonly settings: {
    readonly title: string;
    readonly lead: string;
    readonly remaining: (count: number) => string;
    readonly few: (count: number) => string;
    readonly none: string;
    /** After a report: none of them is taken any more. */
    readonly suspended: string;
    /** After a login by a code: how many are left. */
    readonly used: (count: number) => string;
    /** A time follows. */
    readonly made: string;
    readonly replace: string;
    readonly replaceLead: string;
    readonly replaceSubmit: string;
    readonly first: string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly "backup-code"?: BackupCodesWords;
  }
}

/** The number alone: how many codes are left stands in the section below, too. */
function leftOver(count: number): string {
  if (count === 0) return "It was the last one.";
  return count === 1 ? "One is left." : `${count} are left.`;
}

export const backupCodesWords: BackupCodesWords = {
  name: "Backup code",
  challenge: {
    title: "Enter a backup code",
    choose: "Use a backup code",
    label: "Backup code",
    hint: () => "Use any one of the codes you saved when you set this up. Each code works once.",
    unreadable: "Enter one whole backup code, the way you saved it.",
  },
  codes: {
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
  },
  settings: {
    title: "Backup codes",
    lead: "One-time codes for the day your phone is lost or broken.",
    remaining: (count) => `${counted(count, "code")} left`,
    few: (count) => `Only ${counted(count, "code")} left. Make new ones before you run out.`,
    none: "No codes left. If you lose what you sign in with, you may be locked out. Make new ones.",
    suspended:
      "These codes no longer open anything, because something in this account was reported as not yours. New ones replace them.",
    used: (count) => `You confirmed with a backup code, which is used up now. ${leftOver(count)}`,
    made: "Made",
    replace: "Make new codes",
    replaceLead: "You get a new set, and every code you saved before stops working at once.",
    replaceSubmit: "Yes, replace my codes",
    first: "You get backup codes when you add your first authenticator.",
  },
};
