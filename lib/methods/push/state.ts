/** What is stored of a device that approves. */
export interface PushState {
  /** Made of its key, and the factor's own id: by it the account of a device is found that says who it is, and is not logged in. */
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

/** RFC 8176: a key in software, or as its device says in hardware, and its possession proved. */
export function amrOf({ isHardware }: Pick<PushState, "isHardware">): readonly string[] {
  return [isHardware === true ? "hwk" : "swk", "pop"];
}

/** What is said of a device that no channel reaches. */
export const NO_NOTIFICATIONS = "no-notifications";
