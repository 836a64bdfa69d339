import { callerSection } from "./caller-section.js";
import { doneNotice } from "./done-notice.js";
import { postButton, signInAgainButton } from "./forms.js";
import { alertBox, brand, confirmation } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import { allDrawn } from "./method-page.js";
import { recoverySection } from "./recovery-pages.js";
import { reopenNotice } from "./reopen-page.js";
import { activitySection } from "./settings-activity.js";
import { devicesSection, sessionsSection } from "./settings-browsers.js";
import { factorsSection } from "./settings-factors.js";
import { section } from "./settings-section.js";
import { reasonedText } from "./problem-reasons.js";
import { frozenNotice, graceNotice, probationNotice } from "./until-notices.js";
import type { LayoutParts, PageContext, SettingsPageView } from "./views.js";

/** Everything owners see and change about their own second factors. */
export function settingsPage(context: PageContext, view: SettingsPageView): LayoutParts {
  const { common, settings } = context.messages;
  const { problem } = view;
  const isOn = view.settings.factors.length > 0;
  const body = html`<div class="sf-wide">
    ${brand(context)}
    <header class="sf-head">
      <div>
        <h1>${settings.title}</h1>
        <p class="sf-account">
          <span class="sf-hidden">${settings.account}</span> <strong>${view.accountName}</strong>
        </p>
      </div>
      <p class="${isOn ? "sf-state sf-state-on" : "sf-state"}">${isOn ? settings.on : settings.off}</p>
    </header>
    ${doneNotice(context, view.done)} ${problem && alertBox(reasonedText(context, problem))}
    ${graceNotice(context, view.settings.graceUntil)} ${frozenNotice(context, view.settings.frozenUntil)}
    ${probationNotice(context, view.settings)} ${stepUpNotice(context, view)} ${callerSection(context, view)}
    ${ownParts(context, view, "notice")} ${reopenNotice(context, view.settings.closed)} ${factorsSection(context, view)}
    ${ownParts(context, view, "section")}
    ${view.hasTrustedDevices && isOn && devicesSection(context, view.settings.devices)}
    ${isOn && recoverySection(context, view)} ${sessionsSection(context, view.settings.sessions)}
    ${activitySection(context, view.settings.activity)} ${dataSection(context)}
    ${isOn && !keepsAll(view) && disableSection(context, view)}
    <footer class="sf-foot sf-own-only">
      <a href="${context.home}">${settings.backToApplication(context.issuer)}</a>
    </footer>
  </div>`;
  return renderPage(context, problem === undefined ? settings.title : common.titleWithProblem(settings.title), body);
}

/** For a while nothing is removed: what would only be refused is not offered. */
function keepsAll({ settings }: SettingsPageView): boolean {
  return settings.frozenUntil !== undefined || settings.probation !== undefined;
}

/** What the methods show of themselves: a part of the page, or what is to be seen first. */
function ownParts(context: PageContext, view: SettingsPageView, kind: "notice" | "section"): (Html | undefined)[] {
  const { accountName, lastProof, members, settings } = view;
  const shown = { settings, members, accountName, lastProof };
  return allDrawn(context).map(({ drawing, page }) => page[kind]?.({ ...drawing, ...shown }));
}

function stepUpNotice(context: PageContext, view: SettingsPageView): Html | undefined {
  const { base, messages } = context;
  const { settings } = messages;
  if (!view.needsStepUp) return undefined;
  const hasNone = view.settings.factors.length === 0;
  if (hasNone && view.asksPassword) return undefined;
  if (view.isStuck) return infoNotice(messages.challenge.stuckLead);
  return infoNotice(
    hasNone ? settings.signInAgainFirst : settings.stepUp,
    hasNone
      ? signInAgainButton(context, "small")
      : html`<a class="sf-button sf-button-small" href="${base}?confirm=settings">${settings.stepUpLink}</a>`,
  );
}

function infoNotice(text: string, action?: Html): Html {
  return html`<div class="sf-notice sf-notice-info">
    ${icon("lock")}
    <p>${text}</p>
    ${action}
  </div>`;
}

/** What is kept of the account, as a file. */
function dataSection({ base, messages }: PageContext): Html {
  const { data } = messages.settings;
  const link = html`<p><a class="sf-button sf-button-small" href="${base}/settings/export">${data.download}</a></p>`;
  return section("data", data.title, data.lead, link);
}

function disableSection({ base, issuer, messages }: PageContext, { required }: SettingsPageView): Html {
  const { disable } = messages.settings;
  const id = "sf-disable";
  const button = postButton({ action: `${base}/disable`, text: disable.submit, look: "danger" });
  return html`<section class="sf-card" aria-labelledby="${id}">
    <h2 id="${id}">${disable.title}</h2>
    <p class="sf-hint">${required ? disable.required(issuer) : disable.lead}</p>
    ${!required && confirmation(disable.open, disable.confirm, button)}
  </section>`;
}
