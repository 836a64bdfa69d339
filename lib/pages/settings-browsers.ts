import type { DeviceView, SessionView } from "../engine/views.js";
import { postButton } from "./forms.js";
import { confirmation, timeOf } from "./fragments.js";
import { type Html, html } from "./html.js";
import { emptyState, row, section } from "./settings-section.js";
import type { PageContext } from "./views.js";

/** Browsers that are not asked for a code. */
export function devicesSection(context: PageContext, devices: readonly DeviceView[]): Html {
  const { base, messages } = context;
  const { devices: words } = messages.settings;
  if (devices.length === 0) return section("devices", words.title, words.lead, emptyState(words.none));
  const all = postButton({ action: `${base}/devices/revoke-all`, text: words.revokeAllSubmit, look: "danger" });
  return section(
    "devices",
    words.title,
    words.lead,
    html`<ul class="sf-rows">
        ${devices.map((device) => deviceRow(context, device))}
      </ul>
      ${devices.length > 1 && confirmation(words.revokeAll, words.revokeAllLead, all)}`,
  );
}

function deviceRow({ base, messages }: PageContext, device: DeviceView): Html {
  const { devices: words } = messages.settings;
  const label = device.label || words.unnamed;
  const action = `${base}/devices/${encodeURIComponent(device.id)}/revoke`;
  return row({
    icon: "browser",
    label,
    badge: device.current && words.current,
    facts: [
      html`${words.lastUsed} ${timeOf(messages, device.lastUsedAt)}`,
      html`${words.until} ${timeOf(messages, device.expiresAt)}`,
    ],
    actions: postButton({ action, text: words.revoke, look: "small", label: words.revokeNamed(label) }),
  });
}

/** Where the account is signed in. */
export function sessionsSection(context: PageContext, sessions: readonly SessionView[]): Html | undefined {
  if (sessions.length === 0) return undefined;
  const { sessions: words } = context.messages.settings;
  const others = sessions.filter(({ current }) => !current).length;
  const list = html`<ul class="sf-rows">
    ${sessions.map((session) => sessionRow(context, session))}
  </ul>`;
  return section("sessions", words.title, words.lead, html`${list} ${revokeOthers(context, others)}`);
}

function revokeOthers({ base, messages }: PageContext, others: number): Html {
  const { sessions: words } = messages.settings;
  if (others > 0) {
    const button = postButton({ action: `${base}/sessions/revoke-others`, text: words.revokeSubmit, look: "danger" });
    return confirmation(words.revoke, words.revokeLead, button);
  }
  return html`<p class="sf-hint">${words.onlyThis}</p>`;
}

function sessionRow({ base, messages }: PageContext, session: SessionView): Html {
  const { sessions: words } = messages.settings;
  const { actor, createdAt, current, id, ip, lastSeenAt, trustedDevice, verifiedAt } = session;
  const label = session.browser || words.unnamed;
  const action = `${base}/sessions/${encodeURIComponent(id)}/revoke`;
  return row({
    icon: "browser",
    label,
    badge: current && words.current,
    facts: [
      !current && html`${words.lastSeen} ${timeOf(messages, lastSeenAt)}`,
      ip ?? false,
      html`${words.since} ${timeOf(messages, createdAt)}`,
      verifiedAt !== null && html`${words.verified} ${timeOf(messages, verifiedAt)}`,
      trustedDevice && words.trusted,
      actor !== undefined && words.acting,
    ],
    // Whoever wants to leave this one signs out in the application.
    ...(!current && { actions: postButton({ action, text: words.end, look: "small", label: words.endNamed(label) }) }),
  });
}
