import { unknownNames } from "../core/option-names.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export type Weekday = (typeof DAYS)[number];

/** Hours of the week, by the clock on the wall of one place. */
export interface Hours {
  /** On which of them it begins. Default: every day. */
  readonly days?: readonly Weekday[];
  /** `"08:00"`, included. */
  readonly from: string;
  /** `"18:00"`, not included; `"24:00"` is the end of the day. Earlier than `from`: on the next day. */
  readonly to: string;
  /** An IANA time zone such as `"Europe/Berlin"`, or `"UTC"`: never the server's own by chance. */
  readonly zone: string;
}

const NAMES = ["days", "from", "to", "zone"];
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

/** Minutes since midnight; undefined for what is no time of day. */
function minutesOf(text: unknown): number | undefined {
  const [, hours, minutes] = (typeof text === "string" ? /^(\d{2}):([0-5]\d)$/.exec(text) : null) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return total <= DAY_MINUTES ? total : undefined;
}

function clockOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

function isZone(zone: unknown): boolean {
  if (typeof zone !== "string") return false;
  try {
    clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Minutes since Monday, 0:00, on the wall of that place: an hour that summer time skips is never there, one that it repeats is twice. */
function minuteOfWeek(clock: Intl.DateTimeFormat, now: number): number {
  const parts = new Map(clock.formatToParts(now).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf((parts.get("weekday") ?? "").toLowerCase() as Weekday);
  return day * DAY_MINUTES + Number(parts.get("hour")) * 60 + Number(parts.get("minute"));
}

/** Whether a moment (milliseconds since the epoch) lies within any of these hours. */
export function withinHours(all: readonly Hours[]): (now: number) => boolean {
  const ranges = all.map(({ days = DAYS, from, to, zone }) => {
    const [start = 0, end = 0] = [minutesOf(from), minutesOf(to)];
    const length = end > start ? end - start : end + DAY_MINUTES - start;
    return { clock: clockOf(zone), starts: days.map((day) => DAYS.indexOf(day) * DAY_MINUTES + start), length };
  });
  return (now) =>
    ranges.some(({ clock, length, starts }) => {
      const minute = minuteOfWeek(clock, now);
      return starts.some((start) => (minute - start + WEEK_MINUTES) % WEEK_MINUTES < length);
    });
}

function daysProblems(days: unknown, at: string): string[] {
  if (days === undefined) return [];
  const isList = Array.isArray(days) && days.length > 0 && days.every((day) => DAYS.includes(day as Weekday));
  return isList ? [] : [`${at}days: a list of ${DAYS.map((day) => `"${day}"`).join(", ")}`];
}

function rangeProblems(given: unknown, index: number): string[] {
  const at = `policy.hours[${index}].`;
  if (typeof given !== "object" || given === null)
    return [`policy.hours[${index}]: write { days: ["mon"], from: "08:00", to: "18:00", zone: "Europe/Berlin" }`];
  const { days, from, to, zone } = given as { readonly [Name in keyof Hours]?: unknown };
  const problems = [...unknownNames(given, NAMES, at), ...daysProblems(days, at)];
  const start = minutesOf(from);
  if (start === undefined || start === DAY_MINUTES) problems.push(`${at}from: a time of day such as "08:00"`);
  if (minutesOf(to) === undefined) problems.push(`${at}to: a time of day such as "18:00", or "24:00"`);
  else if (from === to) problems.push(`${at}to: the same as from; for a whole day write from "00:00" to "24:00"`);
  if (!isZone(zone)) problems.push(`${at}zone: an IANA time zone such as "Europe/Berlin"`);
  return problems;
}

/** What is wrong with such hours, each with its mend. */
export function hoursProblems(hours: unknown): string[] {
  if (hours === undefined) return [];
  if (!Array.isArray(hours) || hours.length === 0)
    return ['policy.hours: a list such as [{ days: ["mon"], from: "08:00", to: "18:00", zone: "Europe/Berlin" }]'];
  return hours.flatMap(rangeProblems);
}
