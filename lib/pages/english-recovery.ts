import { inAbout } from "./english-numbers.js";
import type { Messages } from "./messages.js";

/** The words of the way back for whoever has lost every authenticator. */
export const englishRecovery: Messages["recovery"] = {
  offer: {
    open: "Lost everything?",
    lead: "We can send a link to the e-mail address of your account. After you open it there is a waiting time, in which the owner of the account can stop this. Then another link lets you set up a new authenticator. The old ones work until the new one does, and never again after.",
    submit: "Start recovery",
  },
  oldCode: {
    label: "Older backup code, if you have one",
    hint: "A code of the sheet before your newest one makes the wait shorter. You can leave this empty. A code of your newest sheet signs you in by itself: enter that one above, as a backup code.",
    wrong: "Recovery was not started: that is no unused code of the sheet before your newest one.",
    unreadable: "Recovery was not started: enter one whole older backup code, the way you saved it, or none at all.",
  },
  states: {
    requested:
      "If there is an e-mail address for this account, a link is on its way to it. Open it within 30 minutes to start the waiting time.",
    waiting: "Recovery is under way. Another link comes by e-mail at",
    ready: "Recovery is ready. Open the newest link in your e-mail, in this browser, to set up a new authenticator.",
  },
  late: "The waiting time of this recovery is over. The link that sets up a new authenticator comes by e-mail soon; where somebody looks at it first, that can take longer.",
  left: (minutes) => `That is in ${inAbout(minutes)}.`,
  stop: "Not you, or no longer needed? Any sign-in with an authenticator stops it at once, and so does the link in each of its e-mails.",
  askedAt: "Last asked for at",
  again: "Send the link again",
  setUp:
    "Recovery is almost done: set up a new authenticator now. Once it works, all old ones and backup codes stop working, and everybody else is signed out. You have until",
  confirm: {
    title: "Recover your account?",
    lead: "Somebody who got through the first step of signing in says that every authenticator is lost. If it is you, press the button: the waiting time begins. If it is not, leave it, and open “Stop the recovery” in the same e-mail.",
    submit: "Yes, it is me",
    doneTitle: "The waiting time has begun",
    doneLead:
      "Any sign-in with an authenticator stops the recovery. When the waiting time is over, another link comes by e-mail, at",
  },
  vouch: {
    title: "Confirm from here, too?",
    lead: "This account is being recovered, and its owner is asked here as well. If it is not you, leave the button, and open “Stop the recovery” in the same message. If it is, press it: then the waiting time is over earlier, at",
    submit: "Yes, it is me",
    doneTitle: "The waiting time is shorter now",
    doneLead: "Thank you. The next link comes to the e-mail address of the account. The waiting time is over at",
  },
  cancel: {
    title: "Stop this recovery?",
    lead: "If you did not ask to recover your account, press the button. Nothing about your authenticators changes. Then change your password: somebody may know it.",
    submit: "Stop the recovery",
    doneTitle: "The recovery was stopped",
    doneLead: "Your authenticators are as they were. If you did not ask for this, change your password now.",
  },
  complete: {
    title: "Set up a new authenticator",
    lead: "When the new authenticator works, the old ones and your backup codes stop working, and everybody is signed out. You have 10 minutes, and can come back for another link.",
    submit: "Continue",
    doneTitle: "Set up a new authenticator",
    doneLead: "Continue in this browser.",
  },
  opened: "Opening this page has changed nothing.",
  overTitle: "This link no longer works",
  overLead:
    "It was used, replaced by a newer one, took too long, or the recovery was stopped. Sign in to see how things stand.",
  signInTitle: "Sign in first",
  signInLead:
    "Sign in once more in this browser, even if you are signed in, as far as you get: to where an authenticator is asked for. From there you are brought back here. If not, open the link in the e-mail here once more: it still works.",
  signInSubmit: "Sign in",
  frozenTitle: "Not yet",
  frozenLead:
    "Something in this account was reported as not its owner's doing, so for a while nothing is set up in it. Your link is not used up. Sign in and open it again after",
  section: {
    title: "Account recovery",
    lead: "If you lose every authenticator, you can set up a new one by links in e-mails, after a waiting time.",
    off: "Recovery is switched off: if you lose every authenticator and your backup codes, nobody can let you in by e-mail.",
    states: {
      requested:
        "Somebody asked to recover this account. If they open the link that was sent by e-mail, the waiting time begins.",
      waiting: "This account is being recovered. A link to set up a new authenticator is sent by e-mail at",
      ready:
        "This account is being recovered, and the waiting time is over. The link in the newest e-mail sets up a new authenticator.",
    },
    stop: "Did you not ask for this? Stop it, then change your password: somebody may know it.",
    cancel: "Stop the recovery",
    optOut: "Switch recovery off",
    optOutLead:
      "If you then lose every authenticator and your backup codes, your account may be lost for good. Keep backup codes in a safe place first.",
    optOutSubmit: "Yes, switch recovery off",
    optIn: "Switch recovery on",
  },
  probation:
    "Your account was recovered a short while ago. To keep it safe, no authenticator can be replaced or removed, and nothing else that is sensitive can be done, before",
};
