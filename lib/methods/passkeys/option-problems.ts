import { optionsProblems } from "../../core/option-names.js";
import { rpIdProblem } from "./party.js";

/** What each option may be, in words; the others are judged where they are used. */
const CHOICES: Readonly<Record<string, readonly unknown[]>> = {
  userVerification: ["preferred", "required"],
  residentKey: ["discouraged", "preferred", "required"],
  counterRegression: ["refuse", "report"],
  offer: [true, false],
};

function choiceProblem(name: string, value: unknown): string[] {
  const choices = CHOICES[name];
  if (value === undefined || choices === undefined || choices.includes(value)) return [];
  return [`passkeys: ${name} must be ${choices.map((each) => JSON.stringify(each)).join(" or ")}`];
}

/** Everything wrong with what `passkeys()` was given by itself; whether `rpId` fits depends on the origins. */
export function passkeysProblems(given: unknown): string[] {
  const problems = optionsProblems(given, ["rpId", "names", ...Object.keys(CHOICES)], "passkeys: ");
  if (problems.length > 0 || given === undefined) return problems;
  const { names, rpId, ...rest } = given as Readonly<Record<string, unknown>>;
  const ofParty = rpId === undefined ? undefined : rpIdProblem(rpId);
  const areNames = names === undefined || (typeof names === "object" && names !== null && !Array.isArray(names));
  return [
    ...(areNames ? [] : ['passkeys: names must be an object of names by AAGUID: { "ee88…": "Acme key" }']),
    ...(ofParty === undefined ? [] : [ofParty]),
    ...Object.entries(rest).flatMap(([name, value]) => choiceProblem(name, value)),
  ];
}
