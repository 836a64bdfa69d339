import { counted, listed } from "./english-numbers.js";
import type { Messages } from "./messages.js";

/** The words of "this wasn't me": the pages that a link in a message leads to. */
export const englishReport: Messages["report"] = {
  title: "Was this not you?",
  number: (number) => `No.\u00a0${number} of your recent activity`,
  will: "If it was not you, press the button. Then at once:",
  willEnd: "Everybody is signed out of your account, on every device, and no browser is trusted any more.",
  willFreeze: "For 24 hours no authenticator can be added, changed or removed, not even by you.",
  willSuspend:
    "What this was about, and whatever was added since, opens nothing until you allow it again. Your last authenticator stays.",
  submit: "Secure my account",
  wasMe: "If it was you, there is nothing to do. Opening this page has changed nothing.",
  leave: "It was me",
  usedTitle: "This was reported already",
  usedLead: "The link works once, and what it does is done. Your security settings say how things stand.",
  overTitle: "This link no longer works",
  overLead:
    "It is older than seven days, or not complete. If something in your account was not you, change your password and look at your security settings.",
  done: {
    title: "Your account is secured",
    ended: (sessions) =>
      sessions === 0 ? "Nobody was signed in." : `${counted(sessions, "session")} ended: nobody is signed in any more.`,
    frozen: "No authenticator can be added, changed or removed before",
    suspended: (names) => `This opens nothing until you allow it again: ${listed(names)}.`,
    nothingSuspended: "No authenticator had to be suspended.",
    next: "What to do now",
    nextPassword: "Change your password. Whoever did this may know it.",
    nextSignIn:
      "Sign in with an authenticator that is yours, and look at the recent activity in your security settings.",
    nextSettings: "When changes are possible again, remove what is not yours, and allow again what is.",
    help: (issuer) =>
      issuer === ""
        ? "Are you locked out, or is there no authenticator left that is yours? Ask for help."
        : `Are you locked out, or is there no authenticator left that is yours? Ask ${issuer} for help.`,
  },
};
