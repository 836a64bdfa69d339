import { optionsProblems } from "../../core/option-names.js";
import { kindOf } from "../../core/user-ids.js";
import { timeoutProblems } from "../../http/senders.js";

const NAMES = ["channels", "timeout"] as const;
const WANTED =
  "push: channels: required: a list of what wakes devices; [] where nothing does, and they are opened by hand";
const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

type Given = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What each member of a channel has to be; those that may be left out are not asked for then. */
const MEMBERS: readonly {
  readonly name: string;
  readonly wanted: string;
  readonly isRight: (value: unknown) => boolean;
}[] = [
  {
    name: "name",
    wanted: 'must be kebab case, such as "web-push"',
    isRight: (value) => typeof value === "string" && KEBAB_CASE.test(value),
  },
  {
    name: "send",
    wanted: "must be a function (subscription, message, { signal }) that resolves once the message is taken over",
    isRight: (value) => typeof value === "function",
  },
  {
    name: "problem",
    wanted: "must be a function (subscription) that answers a reason, or undefined",
    isRight: (value) => value === undefined || typeof value === "function",
  },
  {
    name: "applicationServerKey",
    wanted: "must be text, the public key in base64url",
    isRight: (value) => value === undefined || (typeof value === "string" && value !== ""),
  },
];

function channelProblems(channel: unknown, index: number): string[] {
  const where = `push: channels[${index}]`;
  if (typeof channel === "function") {
    const name = channel.name === "" ? "it" : channel.name;
    return [`${where}: call it: ${name}(), not ${name}`];
  }
  if (!isObject(channel)) return [`${where}: must be an object with name and send`];
  return MEMBERS.filter(({ isRight, name }) => !isRight(channel[name])).map(
    ({ name, wanted }) => `${where}.${name}: ${wanted}`,
  );
}

function repeatedProblems(channels: readonly unknown[]): string[] {
  const names = channels.map((channel) => (isObject(channel) ? channel.name : undefined));
  const repeated = names.filter((name, index) => typeof name === "string" && names.indexOf(name) < index);
  return [...new Set(repeated)].map(
    (name) => `push: channels: ${JSON.stringify(name)} appears twice; devices say by its name how they are reached`,
  );
}

function listProblems(channels: unknown): string[] {
  if (channels === undefined) return [WANTED];
  if (Array.isArray(channels)) return [...channels.flatMap(channelProblems), ...repeatedProblems(channels)];
  return [`push: channels: must be a list, such as [webPush({ vapid })] or [], and is ${kindOf(channels)}`];
}

/** Everything wrong with what `push()` was given. */
export function pushProblems(given: unknown): string[] {
  const unknown = optionsProblems(given, NAMES, "push: ");
  if (given !== undefined && !isObject(given)) return unknown;
  const { channels, timeout } = given ?? {};
  return [...unknown, ...listProblems(channels), ...timeoutProblems(timeout, "push: ")];
}
