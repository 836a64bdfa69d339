import type { ErrorCode } from "../core/errors.js";
import { brand, problemText } from "./fragments.js";
import { html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import type { LayoutParts, PageContext, ProblemView } from "./views.js";

interface WayOut {
  href(context: PageContext): string;
  text(context: PageContext): string;
}

const SIGN_IN: WayOut = { href: ({ loginPath }) => loginPath, text: ({ messages }) => messages.common.signInAgain };
const GO_ON: WayOut = { href: ({ base }) => base, text: ({ messages }) => messages.common.continue };
const RETRY: WayOut = { href: ({ base }) => base, text: ({ messages }) => messages.common.tryAgain };
const SETTINGS: WayOut = {
  href: ({ base }) => `${base}/settings`,
  text: ({ messages }) => messages.common.toSettings,
};

/** Where to go from a problem; the others lead to the settings. */
const WAYS_OUT: Partial<Record<ErrorCode, WayOut>> = {
  "login-required": SIGN_IN,
  "login-failed": SIGN_IN,
  // Nothing is left of that login.
  denied: SIGN_IN,
  // The settings are for the user themselves; below `path` is the way back to the application.
  "acting-login": GO_ON,
  "second-factor-required": GO_ON,
  "step-up-required": GO_ON,
  "enrollment-required": GO_ON,
  "cross-site-request": GO_ON,
  "too-many-attempts": RETRY,
  "delivery-failed": RETRY,
  unavailable: RETRY,
};

/** What leads those to the login page who are signed in no more. */
const NOBODYS: typeof WAYS_OUT = { expired: SIGN_IN };

function wayOut({ isSignedIn = false, problem: { code } }: ProblemView): WayOut {
  const own = isSignedIn ? undefined : NOBODYS[code];
  return own ?? WAYS_OUT[code] ?? SETTINGS;
}

/** For what has no page of its own: what happened, and what to do. */
export function problemPage(context: PageContext, view: ProblemView): LayoutParts {
  const { problem } = view;
  const title = context.messages.problemTitles[problem.code];
  const way = wayOut(view);
  const body = html`<div class="sf-narrow">
    ${brand(context)}
    <section class="sf-card">
      <div class="sf-mark sf-mark-warning">${icon("warning")}</div>
      <h1>${title}</h1>
      <p class="sf-lead" role="alert">${problemText(context.messages, problem)}</p>
      <a class="sf-button" href="${way.href(context)}">${way.text(context)}</a>
    </section>
  </div>`;
  return renderPage(context, title, body);
}
