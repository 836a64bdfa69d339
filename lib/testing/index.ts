export { authenticatorApp, type AuthenticatorApp } from "./authenticator-app.js";
export { movableClock, type MovableClock } from "./clock.js";
export { outbox, type Outbox, type OutboxMessage } from "./outbox.js";
export { type ContractClaim, type MakeStore, storeContract } from "./store-contract.js";
export type { SigningAlgorithm, SigningKey } from "../crypto/signing-keys.js";
export {
  type SoftwareAuthenticator,
  softwareAuthenticator,
  type SoftwareAuthenticatorOptions,
  type SoftwarePasskey,
  type Tampering,
} from "./software-passkeys.js";
