import { approvePage } from "../../lib/methods/push/approve-page.js";
import { pushPage } from "../../lib/methods/push/page.js";
import { REPORTED } from "../../lib/methods/push/pauses.js";
import { type WaitView, waitPage } from "../../lib/methods/push/wait-page.js";
import { challengePage } from "../../lib/pages/challenge-page.js";
import { builtInLayout, renderPage } from "../../lib/pages/layout.js";
import type { MethodPage } from "../../lib/pages/method-page.js";
import { settingsPage } from "../../lib/pages/settings-page.js";
import type { ChallengeView, PageContext, SettingsPageView } from "../../lib/pages/views.js";

const CHANNEL = { name: "web-push", applicationServerKey: "BF00", send: () => Promise.resolve() };
const LATELY = "2026-11-21T03:15:00.000Z";

export const samplePushPage: MethodPage = pushPage([CHANNEL]);

/** What asks a device, waits for it, and says what came of it. */
function asking(context: PageContext, challenge: ChallengeView, text: string): Record<string, string> {
  const factors = [
    { id: text, label: text, hint: "web-push" },
    { id: "d2", label: text, hint: "no-notifications" },
  ];
  const others = challenge.methods.filter(({ type }) => type !== "push");
  const view: ChallengeView = { ...challenge, methods: [{ type: "push", factors }, ...others], selected: "push" };
  const asked = { requestId: text, factorId: text, device: text, number: "07", expiresAt: LATELY };
  const waiting = (state: WaitView["state"], changes: Partial<WaitView> = {}): ChallengeView => ({
    ...view,
    own: (form) => waitPage(form, { ...asked, state, ...changes }),
  });
  const paused = [{ ...view.methods[0]!, paused: REPORTED }, ...others];
  const resting = [{ ...view.methods[0]!, paused: "push-resting", retryAfter: 300 }, ...others];
  const shown: Record<string, ChallengeView> = {
    pushAsk: view,
    pushTooMany: { ...view, problem: { code: "too-many-attempts", retryAfter: 600, reason: "sending" } },
    pushUnsent: { ...view, problem: { code: "delivery-failed" } },
    pushReported: { ...view, methods: paused },
    pushResting: { ...view, methods: resting },
    pushWaiting: waiting("waiting"),
    pushWaitingSilently: waiting("waiting", { factorId: "d2", isEarly: true }),
    pushConfirming: { ...waiting("waiting"), purpose: "step-up", operation: { id: "op1", text }, trustDays: undefined },
    pushApproved: waiting("approved"),
    pushDenied: waiting("denied"),
    pushDeniedAgain: { ...waiting("denied"), methods: resting },
    pushExpired: waiting("expired"),
  };
  return Object.fromEntries(
    Object.entries(shown).map(([name, each]) => [name, builtInLayout(challengePage(context, each))]),
  );
}

/** The page of the device itself: as it is sent, and with the request that a script makes of its template. */
function deciding(context: PageContext): Record<string, string> {
  const { body, title } = approvePage(context, CHANNEL);
  const page = builtInLayout(renderPage(context, title, body));
  return { pushApprove: page };
}

/** With a request shown, and everything that a script may show. */
export function openedPushPage(page: string): string {
  return page
    .replace(/<template[^>]*>([^]*)<\/template>/, "$1")
    .replaceAll(" hidden", "")
    .replaceAll("<p></p>", "<p>Phone</p>");
}

/** Every page about devices that approve, with `text` wherever something from outside is shown. */
export function everyPushPage(
  given: PageContext,
  challenge: ChallengeView,
  settings: SettingsPageView,
  text: string,
): Record<string, string> {
  const context: PageContext = { ...given, pages: new Map([...given.pages, ["push", samplePushPage]]) };
  const device = { id: text, type: "push", label: text, createdAt: LATELY, lastUsedAt: null, hint: "web-push" };
  const withDevice = { ...settings.settings, factors: [...settings.settings.factors, device] };
  return {
    ...asking(context, challenge, text),
    ...deciding(context),
    pushSettings: builtInLayout(
      settingsPage(context, { ...settings, settings: withDevice, members: { push: { paused: REPORTED } } }),
    ),
  };
}
