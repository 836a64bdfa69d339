import type { Page } from "playwright-core";

interface Kept {
  readonly credentialId: string;
  readonly isResidentCredential: boolean;
  readonly rpId?: string;
  readonly userName?: string;
  readonly userDisplayName?: string;
}

/** An authenticator of the browser's own making, as its developer tools offer them. */
export interface Key {
  passkeys(): Promise<Kept[]>;
  /** The finger that is always there, or not. */
  touch(): Promise<void>;
  hold(): Promise<void>;
  /** The right finger or PIN, or a wrong one. */
  setUserVerified(isUserVerified: boolean): Promise<void>;
  /** From now on it says that nobody was there, as password managers do that make a passkey by the way. */
  leave(): Promise<void>;
  remove(): Promise<void>;
}

export interface KeyOptions {
  readonly transport?: "internal" | "usb";
}

export async function plugIn(page: Page, { transport = "internal" }: KeyOptions = {}): Promise<Key> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const setPresence = async (enabled: boolean): Promise<void> => {
    await session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  };
  return {
    passkeys: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    touch: () => setPresence(true),
    hold: () => setPresence(false),
    setUserVerified: async (isUserVerified) => {
      await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
    },
    leave: async () => {
      await session.send("WebAuthn.setResponseOverrideBits", { authenticatorId, isBadUP: true, isBadUV: true });
    },
    remove: async () => {
      await session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
    },
  };
}
