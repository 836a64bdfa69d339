/** What is stored of a device that approves. */
export interface PushState {
  /** By which the account of a device is found that says who it is, and is not logged in: the factor's own id. */
  readonly deviceId: string;
  /** P-256, SPKI in base64url. */
  readonly publicKey: string;
  /** It says that its key cannot leave its hardware. Nobody has verified that. */
  readonly isHardware?: true;
  /** How it is reached. Absent: it asks by itself. */
  readonly reached?: {
    /** Name of the channel. */
    readonly channel: string;
    /** JSON, sealed. */
    readonly subscription: string;
  };
}
