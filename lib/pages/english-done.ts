import type { Messages } from "./messages.js";

/** What is told of a change once it is made. Names are the owner's own words. */
export const englishDone: Messages["done"] = {
  "browser-forgotten": (label) => (label === "" ? "Browser removed." : `${label} is trusted no more.`),
  "browsers-forgotten": () => "No browser is trusted any more.",
  "codes-replaced": () => "New backup codes made. The old ones no longer work.",
  disabled: () => "Two-step sign-in is off.",
  "factor-added": (label) => `${label} added.`,
  "factor-removed": (label) => `${label} removed.`,
  "factor-renamed": (label) => `Renamed to ${label}.`,
  "factor-replaced": (label) => `${label} is set up in the place of the old one, which opens nothing any more.`,
  "factor-resumed": (label) => `${label} can be used again.`,
  "factor-resynced": (label) => `${label} adjusted to its clock.`,
  needed: () => "The page you came from needs a second step that you do not have yet. Set one up here to go on.",
  "pass-used": () => "You are signed in with a temporary pass. Set up a new authenticator here now.",
  preferred: () => "Asked for first from now on.",
  "recovery-cancelled": () => "The recovery was stopped.",
  "recovery-off": () => "Recovery is off.",
  "recovery-on": () => "Recovery is on.",
  reopened: () => "Opened again.",
  "session-ended": (label) => (label === "" ? "Signed out there." : `Signed out: ${label}.`),
  "sessions-ended": () => "You are signed out everywhere else.",
};

/** What is said of the other logins, before a first factor is set up and after it. */
export const englishOthers: Messages["others"] = {
  ask: "Sign me out everywhere else.",
  askAdvice: "Otherwise each of your other browsers has ten minutes to give the new second step.",
  willEnd: "You will be signed out everywhere else.",
  willStay: "Other browsers that are signed in will be asked for it, too.",
  ended: "You are signed out everywhere else.",
  kept: "Your other browsers are asked for it now.",
};
