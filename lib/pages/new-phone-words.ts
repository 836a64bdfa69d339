import type { NewPhoneStep } from "../engine/new-phone.js";
import { counted } from "./english-numbers.js";

/** The page on which a new phone takes the place of an old one. */
export interface NewPhoneMessages {
  readonly title: string;
  /** The link that leads here from the settings, and the sentence before it. */
  readonly open: string;
  readonly openLead: string;
  /** The steps by name: each a heading too. */
  readonly steps: Readonly<Record<NewPhoneStep, string>>;
  /** What assistive technology reads beside a step that is done. */
  readonly stepDone: string;
  readonly proveLead: string;
  readonly proveSubmit: string;
  /** What this login has shown does for adding something alone. */
  readonly addOnly: string;
  readonly setUpLead: string;
  /** Opens what sets a factor up again. */
  readonly setUpAgain: string;
  /** The link to all that can be added. */
  readonly somethingElse: string;
  /** On the page of the new factor: what it is set up for. */
  readonly takesPlace: (label: string) => string;
  /** A word beside what is new. */
  readonly isNew: string;
  readonly removeLead: string;
  /** In the place of it, where nothing is left from before. */
  readonly finished: string;
  /** What is to be done with the old phone. `issuer` may be empty. */
  readonly oldPhone: (issuer: string) => string;
  readonly codes: (remaining: number) => string;
  readonly finish: string;
}

/** The words of the page for a new phone. */
export const englishNewPhone: NewPhoneMessages = {
  title: "Set up your new phone",
  open: "Set up a new phone",
  openLead: "New phone? Move to it step by step; what you have works until the new one does.",
  steps: { prove: "Prove that it is you", "set-up": "Set up the new phone", remove: "Remove the old one" },
  stepDone: "Done",
  proveLead:
    "Use the old phone if you still have it. If it is gone, use a backup code or another of your authenticators.",
  proveSubmit: "Confirm that it is you",
  addOnly:
    "With what you signed in with you can add something, and change nothing else. Add the new phone, then come back here.",
  setUpLead:
    "Choose what was on the old phone. It works until the new one is proved, which then takes its place: you are signed out everywhere else, and no browser is trusted any more.",
  setUpAgain: "Set up again",
  somethingElse: "Set up something else instead",
  takesPlace: (label) => `It takes the place of “${label}”, which works until you are done here.`,
  isNew: "New",
  removeLead:
    "This is left from before. Set up again or remove what was on the old phone. What is on another device may stay.",
  finished: "Nothing is left from before.",
  oldPhone: (issuer) =>
    `Once the authenticator app of the old phone is set up again or removed here, delete ${issuer === "" ? "the account" : issuer} from it: what it shows then opens nothing any more.`,
  codes: (remaining) =>
    `You have ${counted(remaining, "backup code")} left. Sign in with the new phone once, then make new ones in the settings.`,
  finish: "Done",
};
