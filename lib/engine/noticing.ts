import type { Account, Activity } from "../core/account.js";
import type { UserId } from "../core/nouns.js";
import { comparedAddress } from "../core/mail-address.js";
import { recoveryPath, type RecoveryPurpose } from "../core/recovery-paths.js";
import { isSuspended } from "../core/reports.js";
import { iso } from "../core/time.js";
import { tried } from "../core/tried.js";
import type { AccountEvent, AuditEvent } from "../events/audit.js";
import type { Subject, Telling } from "../events/emitter.js";
import {
  deliverNotice,
  isNoticed,
  type Notice,
  type NoticeDetails,
  type NoticeKind,
  type NoticeLinks,
  type Notify,
  type Reach,
} from "../events/notices.js";
import type { EngineDependencies } from "./dependencies.js";
import type { LinkTokens } from "./link-tokens.js";
import { openReach, recoveryLinks, type RecoveryLink } from "./recovery-links.js";
import type { ReportTokens } from "./report-tokens.js";

/** How owners are told. */
export interface NoticeSettings {
  readonly notify: Notify;
  /** How somebody is reached of whom no request is at hand. */
  reachOf(userId: UserId): Promise<Reach>;
  /** What users are written to in who say nothing. */
  readonly locale: string;
}

/** What makes the links of notices. */
export interface NoticeTokens {
  readonly report: ReportTokens;
  readonly recovery: LinkTokens<RecoveryLink>;
}

/** Something that was written down, and is to be told to whose account it is. */
export interface Written {
  readonly event: AccountEvent;
  readonly line: Activity;
  readonly subject: Subject;
  readonly before: Account;
  readonly after: Account;
}

/** What cannot be read of a request is asked for as if there were none: what was written is written. */
function readReach({ reach }: Subject): Reach | undefined {
  return reach && { contact: reach.contact, issuer: reach.issuer, place: reach.place };
}

/** The login that did it, as it is listed by now: one that has just risen is listed under a new id. */
function loginOf({ after, before, subject }: Written): string | undefined {
  const { loginId } = subject;
  if (loginId === undefined || after.logins.some(({ id }) => id === loginId)) return loginId;
  const known = new Set(before.logins.map(({ id }) => id));
  return after.logins.find(({ id }) => !known.has(id))?.id ?? loginId;
}

function detailsOf({ event, line, subject }: Written): NoticeDetails {
  const { factorId, facts, label, method, reason } = event;
  const { actor = subject.userId } = subject;
  const details = {
    ...facts,
    method,
    factorId,
    label,
    reason,
    actor: actor === subject.userId ? undefined : actor,
    ended: line.ended,
  };
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== ""));
}

type Destination = Notice["to"];

/** A channel of the account's beside the address on file. */
interface Channel {
  readonly to: NonNullable<Destination>;
  /** Codes of the owner's go there, and it is not where the owner's own mail goes. */
  readonly isSecond: boolean;
}

/** What is mailed, and what shortens the wait for whoever answers from a second channel. */
interface Links extends NoticeLinks {
  readonly vouch?: string;
}

function textOf(to: NonNullable<Destination>): string {
  return typeof to === "string" ? to : to.address;
}

/** What other channels are told: to stop it; from a second one, that it is its owner's wish. Never the way on. */
function linksBeside(kind: NoticeKind, { complete: _theirs, confirm: _own, vouch, ...rest }: Links, isSecond: boolean) {
  const confirms = kind === "recovery-confirmed" && isSecond && vouch !== undefined;
  return confirms ? { ...rest, confirm: vouch } : rest;
}

/** The user's own address, and where a factor's messages went before another took its place. */
function destinationsOf({ contact: { email } }: Reach, before: Destination): readonly Destination[] {
  const own = email === undefined ? undefined : { address: email };
  const isElsewhere = before !== undefined && (typeof before === "string" || before.address !== email);
  if (!isElsewhere) return [own];
  return own === undefined ? [before] : [before, own];
}

/** What an owner says by a factor of theirs: whoever reports that means who had it asked, and not the factor. */
const SAID_BY_FACTOR: ReadonlySet<NoticeKind> = new Set(["push-reported"]);

/** Notices of a recovery that is under way: every channel of the account's is told of it, but for who has only asked. */
const SAID_EVERYWHERE: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  "recovery-confirmed",
  "recovery-shortened",
  "recovery-half-time",
  "recovery-ready",
  "recovery-cancelled",
  "recovery-completed",
]);

function isOfRecovery(kind: NoticeKind): boolean {
  return kind === "recovery-requested" || SAID_EVERYWHERE.has(kind);
}

/** Tells owners what was written down about their account: once each, beside the request, never in its way. */
export class Noticing {
  constructor(
    private readonly settings: NoticeSettings,
    private readonly telling: Pick<Telling, "emitAudit" | "emitError">,
    private readonly tokens: NoticeTokens,
    private readonly parts: Pick<EngineDependencies, "keys" | "methods">,
  ) {}

  /** What is to be done with the audit event of this; undefined where nobody is told of such. */
  about(written: Written): ((event: AuditEvent) => void) | undefined {
    const { action } = written.event;
    if (!isNoticed(action)) return undefined;
    // Read now: what a request says of its user is there for as long as the request is.
    const reach = tried(() => readReach(written.subject));
    return (event) => {
      void this.tell(action, written, event, reach);
    };
  }

  private async tell(kind: NoticeKind, written: Written, event: AuditEvent, known: Reach | undefined): Promise<void> {
    try {
      const asked = isOfRecovery(kind) ? await this.askedBy(written).catch(() => undefined) : undefined;
      const reach = asked ?? known ?? (await this.settings.reachOf(written.subject.userId));
      // Keys that do not answer are told of; better no link than no word.
      const made = await this.linksOf(kind, written, reach).catch((): Links => ({}));
      const { vouch: _others, ...links } = made;
      const notice = this.noticeOf(kind, written, event, { reach, links });
      // What cannot be opened any more was the old one's; the owner's own address hears of it all the same.
      const before = await this.before(written).catch(() => undefined);
      const [first, ...own] = destinationsOf(reach, before);
      const others = SAID_EVERYWHERE.has(kind) ? await this.elsewhere(written, reach, known) : [];
      await Promise.all([
        this.hand(first === undefined ? notice : { ...notice, to: first }),
        ...own.map((to) => this.hand(to === undefined ? notice : { ...notice, to })),
        // The way on is for the address it was asked for with alone.
        ...others.map(({ isSecond, to }) => this.hand({ ...notice, to, links: linksBeside(kind, made, isSecond) })),
      ]);
    } catch (error) {
      this.failed(kind, event, error);
    }
  }

  /** How the owner was reached when they asked for the recovery that this is about; undefined where it is about none. */
  private async askedBy({ after, before, subject }: Written): Promise<Reach | undefined> {
    const recovery = after.recovery ?? before.recovery;
    return recovery && openReach(this.parts.keys, subject.userId, recovery);
  }

  /**
   * Every other place that the owner can be told at: what the application says by now, and where their factors send codes. What it says
   * by now may have been changed by whoever asks, and a factor that was reported, or set up since, may be theirs: none is a second
   * channel.
   */
  private async elsewhere(
    { after, before, subject }: Written,
    { contact }: Reach,
    known: Reach | undefined,
  ): Promise<readonly Channel[]> {
    const { keys, methods } = this.parts;
    const { userId } = subject;
    const now = known ?? (await this.settings.reachOf(userId).catch(() => undefined));
    const email = now?.contact.email;
    const own = [contact.email, email].filter((each) => each !== undefined).map(comparedAddress);
    const sent = await Promise.all(
      before.factors.map(async (factor): Promise<Channel | undefined> => {
        const opened = async (): Promise<Destination> =>
          methods.get(factor.type)?.destination?.(factor, { keys, userId });
        const to = await opened().catch(() => undefined);
        if (to === undefined) return undefined;
        const isKnown = !isSuspended(factor) && factor.createdAt <= (after.recovery?.requestedAt ?? 0);
        return { to, isSecond: isKnown && !own.includes(comparedAddress(textOf(to))) };
      }),
    );
    const said = email === undefined ? [] : [{ to: { address: email }, isSecond: false }];
    const all: readonly Channel[] = [...said, ...sent.filter((each) => each !== undefined)];
    const texts = all.map(({ to }) => textOf(to));
    return all.filter((_each, index) => texts[index] !== contact.email && texts.indexOf(texts[index] ?? "") === index);
  }

  /** Where a factor that was replaced was reached, by the one who can open that: its method. */
  private async before({ event, subject }: Written): Promise<Destination> {
    const { replaced } = event;
    if (replaced === undefined) return undefined;
    const { keys, methods } = this.parts;
    return methods.get(replaced.type)?.destination?.(replaced, { keys, userId: subject.userId });
  }

  private async hand(notice: Notice): Promise<void> {
    try {
      await deliverNotice(this.settings.notify, Object.freeze(notice));
    } catch (error) {
      this.failed(notice.kind, notice.event, error);
    }
  }

  private failed(kind: NoticeKind, event: AuditEvent, error: unknown): void {
    const { userId = "" } = event;
    this.telling.emitError("notify", error, { userId, client: event });
    this.telling.emitAudit("notice-failed", { ...event, userId }, { outcome: "failure", reason: kind });
  }

  private async linksOf(kind: NoticeKind, written: Written, { place }: Reach): Promise<Links> {
    // What was reported is done: there is nothing of it to report.
    if (place === undefined || kind === "reported") return {};
    const { event, line, subject } = written;
    const loginId = loginOf(written);
    const token = await this.tokens.report.seal({
      userId: subject.userId,
      number: line.number ?? 0,
      kind,
      at: line.at,
      ...(event.factorId !== undefined && !SAID_BY_FACTOR.has(kind) && { factorId: event.factorId }),
      ...(loginId !== undefined && { loginId }),
    });
    const ways = isOfRecovery(kind) ? await recoveryLinks(this.tokens.recovery, written.after) : {};
    const tokens = Object.entries(ways) as readonly (readonly [RecoveryPurpose, string])[];
    const links = tokens.map(([purpose, each]) => [purpose, `${place}${recoveryPath(purpose)}?token=${each}`] as const);
    return { report: `${place}/report?token=${token}`, ...Object.fromEntries(links) };
  }

  private noticeOf(
    kind: NoticeKind,
    written: Written,
    event: AuditEvent,
    { links, reach }: { readonly links: NoticeLinks; readonly reach: Reach },
  ): Notice {
    const { line, subject } = written;
    return {
      kind,
      userId: subject.userId,
      at: iso(line.at),
      number: line.number ?? 0,
      ...(line.browser !== undefined && { browser: line.browser }),
      ...(line.ip !== undefined && { ip: line.ip }),
      details: detailsOf(written),
      links,
      issuer: reach.issuer,
      locale: reach.contact.locale ?? this.settings.locale,
      event,
    };
  }
}
