import type { MethodWords } from "../../pages/messages.js";

/** What is said of devices that approve. */
export interface PushWords extends MethodWords {
  readonly challenge: {
    readonly title: string;
    readonly choose: string;
    readonly button: string;
  };
  readonly settings: {
    /** No message wakes it: it has to be opened. */
    readonly noNotifications: string;
    /** The name of the channel it is reached by. */
    readonly reached: (channel: string) => string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly push?: PushWords;
  }
}

export const pushWords: PushWords = {
  name: "Your device",
  challenge: {
    title: "Approve on your device",
    choose: "Approve on your device",
    button: "Ask my device",
  },
  settings: {
    noNotifications: "No notifications: open it to see what it is asked",
    reached: (channel) => `Notified by ${channel}`,
  },
};
