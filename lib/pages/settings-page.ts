import { alertBox, brand, confirmation, postButton, problemText } from "./fragments.js";
import { type Html, html } from "./html.js";
import { icon } from "./icons.js";
import { renderPage } from "./layout.js";
import { activitySection } from "./settings-activity.js";
import { devicesSection, sessionsSection } from "./settings-browsers.js";
import { codesSection } from "./settings-codes.js";
import { factorsSection } from "./settings-factors.js";
import type { PageContext, SettingsPageView } from "./views.js";

/** Everything owners see and change about their own second factors. */
export function settingsPage(context: PageContext, view: SettingsPageView): string {
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
    ${problem && alertBox(problemText(context.messages, problem))} ${stepUpNotice(context, view)}
    ${factorsSection(context, view)} ${view.hasBackupCodes && codesSection(context, view)}
    ${view.hasTrustedDevices && isOn && devicesSection(context, view.settings.devices)}
    ${sessionsSection(context, view.settings.sessions)} ${activitySection(context, view.settings.activity)}
    ${isOn && disableSection(context, view)}
    <footer class="sf-foot sf-own-only"><a href="/">${settings.backToApplication(context.issuer)}</a></footer>
    ${forPasswordManagers(view)}
  </div>`;
  return renderPage(context, problem === undefined ? settings.title : common.titleWithProblem(settings.title), body);
}

/** What the script tells the password managers of this browser: which passkeys are in force, and under what name. */
function forPasswordManagers({ accountName, passkeys }: SettingsPageView): Html | undefined {
  if (passkeys === undefined) return undefined;
  const { credentialIds, rpId, userId } = passkeys;
  return html`<div
    hidden
    data-rp-id="${rpId}"
    data-user-id="${userId}"
    data-user-name="${accountName}"
    data-credential-ids="${credentialIds.join(" ")}"
  ></div>`;
}

function stepUpNotice({ base, loginPath, messages }: PageContext, view: SettingsPageView): Html | undefined {
  const { common, settings } = messages;
  if (!view.needsStepUp) return undefined;
  const hasNone = view.settings.factors.length === 0;
  if (hasNone && view.asksPassword) return undefined;
  return html`<div class="sf-notice sf-notice-info">
    ${icon("lock")}
    <p>${hasNone ? settings.signInAgainFirst : settings.stepUp}</p>
    <a class="sf-button sf-button-small" href="${hasNone ? loginPath : base}">
      ${hasNone ? common.signInAgain : settings.stepUpLink}
    </a>
  </div>`;
}

function disableSection({ base, issuer, messages }: PageContext, { required }: SettingsPageView): Html {
  const { disable } = messages.settings;
  const id = "sf-disable";
  const button = postButton(`${base}/disable`, disable.submit, "sf-button sf-button-danger");
  return html`<section class="sf-card" aria-labelledby="${id}">
    <h2 id="${id}">${disable.title}</h2>
    <p class="sf-hint">${required ? disable.required(issuer) : disable.lead}</p>
    ${!required && confirmation(disable.open, disable.confirm, button)}
  </section>`;
}
