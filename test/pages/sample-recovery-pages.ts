import type { RecoveryPurpose } from "../../lib/core/recovery-paths.js";
import type { SettingsView } from "../../lib/engine/views.js";
import { challengePage } from "../../lib/pages/challenge-page.js";
import { builtInLayout, renderPage } from "../../lib/pages/layout.js";
import type { PagePart } from "../../lib/pages/method-page.js";
import * as recoveries from "../../lib/pages/recovery-pages.js";
import { setUpPage } from "../../lib/pages/set-up-page.js";
import { settingsPage } from "../../lib/pages/settings-page.js";
import type {
  ChallengeView,
  LayoutParts,
  PageContext,
  SettingsPageView,
  SetUpView,
  ShownRecovery,
} from "../../lib/pages/views.js";

const SOON = "2026-11-22T03:15:00.000Z";

const END = { at: SOON, minutesLeft: 700 };

/** Where a recovery can stand, as a challenge shows it. */
const STANDS: Readonly<Record<string, ShownRecovery>> = {
  recoveryOffered: { state: "none" },
  recoveryWithOldCode: { state: "none", takesOldCode: true },
  recoveryWrongOldCode: { state: "none", takesOldCode: true, problem: { code: "invalid-code" } },
  recoveryRequested: { state: "requested", askedAt: SOON },
  recoveryWaiting: { state: "waiting", completesAt: SOON, minutesLeft: 700 },
  recoveryLate: { state: "waiting", completesAt: SOON, minutesLeft: 0 },
  recoveryReady: { state: "ready", completesAt: SOON, minutesLeft: 0 },
};

interface Around {
  readonly challenge: ChallengeView;
  readonly settings: SettingsPageView;
  readonly setUp: SetUpView;
}

/** Every page of a recovery, with `text` wherever something from outside is shown. */
export function everyRecoveryPage(context: PageContext, around: Around, text: string): Record<string, string> {
  const { challenge, setUp } = around;
  const ofLink = ({ body, title }: PagePart): string => builtInLayout(renderPage(context, title, body));
  const linkPage = (purpose: RecoveryPurpose): string =>
    ofLink(
      recoveries.recoveryPage(context, { purpose, token: text, shortensTo: purpose === "vouch" ? END : undefined }),
    );
  const settings = (parts: Partial<SettingsView>): LayoutParts =>
    settingsPage(context, { ...around.settings, settings: { ...around.settings.settings, ...parts } });
  const atChallenge = Object.entries(STANDS).map(([name, recovery]) => [
    name,
    builtInLayout(challengePage(context, { ...challenge, recovery })),
  ]);
  return {
    ...(Object.fromEntries(atChallenge) as Record<string, string>),
    recoverySetUp: builtInLayout(setUpPage(context, { ...setUp, recoveringUntil: SOON })),
    recoveryConfirm: linkPage("confirm"),
    recoveryVouch: linkPage("vouch"),
    recoveryCancel: linkPage("cancel"),
    recoveryComplete: linkPage("complete"),
    recoveryConfirmed: ofLink(recoveries.recoveryDonePage(context, "confirm", END)),
    recoveryVouched: ofLink(recoveries.recoveryDonePage(context, "vouch", END)),
    recoveryCancelled: ofLink(recoveries.recoveryDonePage(context, "cancel")),
    recoveryOver: ofLink(recoveries.recoveryOverPage(context)),
    recoveryFrozen: ofLink(recoveries.recoveryFrozenPage(context, SOON)),
    recoverySignIn: ofLink(recoveries.recoverySignInPage(context)),
    settingsRecovering: builtInLayout(
      settings({ recovery: { state: "waiting", completesAt: SOON, optedOut: false }, probation: { until: SOON } }),
    ),
    settingsNoRecovery: builtInLayout(settings({ recovery: { state: "none", optedOut: true } })),
  };
}
