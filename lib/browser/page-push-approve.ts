// The page of a device: lists what is asked of this browser's devices, and signs what its owner decides.

import type { Refused } from "./ceremony.js";
import { type Decision, Card } from "./page-push-card.js";
import { fetchInTime, partOf } from "./page-forms.js";
import { type PushDevice, pushDevices, type PushRequest } from "./push-devices.js";
import { pushSupport, subscribeToPush } from "./push-support.js";

/** Milliseconds between two looks at what is asked, while the page is seen: at first, and after it was seen for `LONG`. */
const SOON = 4_000;
const LATER = 15_000;
const LONG = 600_000;
/** Where nobody answers, or not as hoped. */
const LONGEST = 60_000;

const RESULTS: Record<Decision, string> = { approve: "approved", deny: "denied", "not-me": "reported" };

/** Where else than in the field something is wrong, by the code of the answer: the request goes on. */
const TOLD: Partial<Record<string, string>> = { "same-browser": "sameBrowser", frozen: "frozen" };
/** What came of an answer as it was meant. */
const GOOD = ["approved", "denied"];
const OVER = ["expired", "not-found"];

/** Its own store failed. */
const UNHEARD: Refused = { status: "refused", problem: { code: "unavailable" } };

interface Asked {
  readonly device: PushDevice;
  readonly request: PushRequest;
}

/** What is open, over all devices. */
interface Looked {
  readonly asked: readonly Asked[];
  readonly isRemoved: boolean;
  /** Name of the sentence that says why nothing is known. */
  readonly trouble?: string;
  /** Seconds until the server wants to be asked again. */
  readonly after: number;
}

interface Terms {
  readonly base: string;
  readonly fetch: typeof fetch;
}

class ApprovePage {
  private devices: readonly PushDevice[] = [];
  private wasRemoved = false;
  /** Messages were lost: what this browser has subscribed may be known to its push service no more. */
  private isUnreached = false;
  private readonly cards = new Map<string, Card>();
  /** Ids of what is over: a list that was on its way may name it still. */
  private readonly over = new Set<string>();
  private made = 0;
  private looking: Promise<void> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds until the next look. */
  private pause = SOON;
  /** Looks in a row that told nothing. */
  private failures = 0;
  /** Since when nothing was asked, and nobody came to the page. */
  private quiet = performance.now();

  constructor(private readonly root: HTMLElement) {}

  async begin(): Promise<void> {
    const { keys } = await pushSupport();
    if (!keys) {
      this.sayInstead("unsupported");
      return;
    }
    document.querySelector<HTMLElement>("[data-without]")?.setAttribute("hidden", "");
    this.root.hidden = false;
    await this.readDevices();
    document.addEventListener("visibilitychange", () => void this.lookAfresh());
    workers()?.addEventListener("message", () => void this.lookAfresh());
    workers()?.startMessages();
    setInterval(() => {
      for (const card of this.cards.values()) card.tick();
    }, 1_000);
    await this.look();
    await this.wireNotifications();
  }

  private get terms(): Terms {
    return { base: this.root.dataset["base"] ?? "", fetch: fetchInTime };
  }

  /** Another tab may have added one. Those that are known stay: they know how wrong the clock is. */
  private async readDevices(): Promise<void> {
    const known = new Set(this.devices.map(({ factorId }) => factorId));
    const found = await pushDevices(this.terms);
    this.devices = [...this.devices, ...found.filter(({ factorId }) => !known.has(factorId))];
  }

  private part(name: string): HTMLElement {
    return partOf(this.root, `[data-${name}]`);
  }

  private sayInstead(sentence: string): void {
    const without = document.querySelector<HTMLElement>("[data-without]");
    if (without) without.textContent = this.root.dataset[sentence] ?? "";
  }

  /** One look at a time, and the next one a while after it. */
  private look(): Promise<void> {
    clearTimeout(this.timer);
    if (document.hidden) return Promise.resolve();
    this.looking ??= this.lookNow().finally(() => {
      this.looking = undefined;
      this.timer = setTimeout(() => void this.look(), this.pause);
    });
    return this.looking;
  }

  private lookAfresh(): Promise<void> {
    this.quiet = performance.now();
    return this.look();
  }

  private async lookNow(): Promise<void> {
    await this.readDevices();
    const looked = await this.ask();
    this.wasRemoved ||= looked.isRemoved;
    this.failures = looked.trouble === undefined ? 0 : this.failures + 1;
    const rest = looked.trouble === undefined ? this.rest : Math.min(SOON * 2 ** this.failures, LONGEST);
    this.pause = Math.max(rest, looked.after * 1_000);
    if (looked.trouble === undefined) this.keepCards(looked.asked);
    this.show(looked.trouble);
  }

  private get rest(): number {
    return performance.now() - this.quiet < LONG ? SOON : LATER;
  }

  private async ask(): Promise<Looked> {
    const asked: Asked[] = [];
    const removed: PushDevice[] = [];
    let trouble: string | undefined;
    let after = 0;
    for (const device of this.devices) {
      const answer = await device.requests().catch(() => UNHEARD);
      if (answer.status === "listed") {
        asked.push(...answer.requests.map((request) => ({ device, request })));
        this.isUnreached ||= answer.reached === false;
      } else if (answer.status === "removed") removed.push(device);
      else {
        const { code, retryAfter = 0 } = answer.problem;
        trouble = code === "invalid-code" ? "clock" : "offline";
        after = Math.max(after, retryAfter);
      }
    }
    this.devices = this.devices.filter((device) => !removed.includes(device));
    return { asked, isRemoved: removed.length > 0, after, ...(trouble === undefined ? {} : { trouble }) };
  }

  /** A card for each open request; those that are over go, but for one that is being answered. */
  private keepCards(listed: readonly Asked[]): void {
    const asked = listed.filter(({ request }) => !this.over.has(request.requestId));
    if (asked.length > 0) this.quiet = performance.now();
    const open = new Set(asked.map(({ request }) => request.requestId));
    for (const [id, card] of this.cards) {
      if (open.has(id) || card.isBusy) continue;
      this.drop(card);
      this.tell("over");
    }
    for (const each of asked) if (!this.cards.has(each.request.requestId)) this.addCard(each);
  }

  private addCard({ device, request }: Asked): void {
    const template = document.querySelector<HTMLTemplateElement>("template[data-push-request]");
    if (template === null) return;
    this.made += 1;
    const card = new Card(
      template,
      request,
      String(this.made),
      (_card, decision) => void this.decide(device, card, decision),
    );
    this.cards.set(request.requestId, card);
    this.part("list").append(card.element);
    this.tell(undefined);
    if (this.cards.size === 1) card.focus();
  }

  private drop(card: Card): void {
    this.cards.delete(card.request.requestId);
    card.element.remove();
  }

  private async decide(device: PushDevice, card: Card, decision: Decision): Promise<void> {
    if (card.isBusy) return;
    const number = decision === "approve" ? card.number : undefined;
    const { dataset } = this.root;
    if (number !== undefined && !/^[0-9]{2}$/.test(number)) {
      card.tell(dataset["noNumber"], true);
      return;
    }
    card.tell(undefined, false);
    card.setBusy(true);
    const result = await device.decide(card.request, decision, number).catch(() => UNHEARD);
    if (result.status === "decided") this.finish(card, RESULTS[decision]);
    else await this.refused(card, result.problem);
    card.setBusy(false);
  }

  private async refused(
    card: Card,
    { code, detail }: { readonly code: string; readonly detail?: string },
  ): Promise<void> {
    const { dataset } = this.root;
    if (OVER.includes(code)) this.finish(card, "over");
    else if (code === "invalid-code") await this.wrongNumber(card);
    else card.tell(dataset[TOLD[code] ?? ""] ?? detail ?? dataset["offline"], false);
  }

  /** The third wrong number denies: whether it was that, the list tells. */
  private async wrongNumber(card: Card): Promise<void> {
    const { asked, trouble } = await this.ask();
    const isOpen = trouble !== undefined || asked.some(({ request }) => request.requestId === card.request.requestId);
    if (isOpen) card.tell(this.root.dataset["wrongNumber"], true);
    else this.finish(card, "wrongThrice");
  }

  private finish(card: Card, sentence: string): void {
    this.over.add(card.request.requestId);
    this.drop(card);
    this.tell(sentence);
    this.show();
    void closeNotifications();
  }

  /** What came of the last answer, until the next request. */
  private tell(sentence: string | undefined): void {
    for (const kind of ["good", "bad"]) {
      const result = this.part(kind);
      const isIt = sentence !== undefined && GOOD.includes(sentence) === (kind === "good");
      result.hidden = !isIt;
      partOf(result, "p").textContent = isIt ? (this.root.dataset[sentence] ?? "") : "";
      if (isIt) result.focus();
    }
  }

  private show(trouble?: string): void {
    const hasDevice = this.devices.length > 0;
    const isEmpty = this.cards.size === 0 && trouble === undefined;
    this.part("status").textContent = trouble === undefined ? "" : (this.root.dataset[trouble] ?? "");
    this.part("none").hidden = !isEmpty || !hasDevice;
    this.part("no-device").hidden = !isEmpty || hasDevice;
    this.part("unknown").hidden = this.wasRemoved;
    this.part("removed").hidden = !this.wasRemoved;
  }

  /** Where notifications can be had and are not, a button turns them on. */
  private async wireNotifications(): Promise<void> {
    const { channel, key, worker } = this.root.dataset;
    if (channel === undefined || key === undefined || worker === undefined || this.devices.length === 0) return;
    const { allowed, messages } = await pushSupport();
    if (!messages) return;
    const turnOn = async (): Promise<void> => {
      const woken = await subscribeToPush({ worker, applicationServerKey: key, anew: this.isUnreached });
      if (woken.status !== "subscribed") {
        this.sayOfNotifications("blocked");
        return;
      }
      this.isUnreached = false;
      const renewed = await Promise.all(this.devices.map((device) => device.renew(channel, woken.subscription)));
      this.sayOfNotifications(renewed.every(({ status }) => status === "renewed") ? "notified" : "offline");
    };
    this.part("silent").hidden = allowed;
    this.part("notify").addEventListener("click", () => void turnOn());
    // Nobody is asked: what the push service gave may have changed, or gone, since.
    if (allowed) await turnOn();
  }

  private sayOfNotifications(sentence: string): void {
    partOf(this.part("silent"), "p").textContent = this.root.dataset[sentence] ?? "";
    this.part("notify").hidden = sentence !== "offline";
  }
}

/** Absent in some private windows. */
function workers(): ServiceWorkerContainer | undefined {
  return (navigator as { readonly serviceWorker?: ServiceWorkerContainer }).serviceWorker;
}

/** What was answered is nothing to be told of any more. */
async function closeNotifications(): Promise<void> {
  const registration = await workers()?.getRegistration();
  for (const notification of (await registration?.getNotifications()) ?? []) notification.close();
}

export function wireApproving(): void {
  const root = document.querySelector<HTMLElement>("[data-push-approve]");
  if (root !== null) void new ApprovePage(root).begin();
}
