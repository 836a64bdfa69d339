import type { MethodWords } from "../../pages/messages.js";

/** What is said of devices that approve. */
export interface PushWords extends MethodWords {
  readonly challenge: {
    readonly title: string;
    readonly choose: string;
    readonly lead: (issuer: string) => string;
    /** The button that asks the device its owner calls `label`. */
    readonly send: (label: string) => string;
    /** Instead, where the device is the very browser that asks. */
    readonly isHere: (label: string) => string;
    /** For where no notification comes. */
    readonly hint: string;
    /** Nothing can be asked for so many minutes: too many requests were denied, or left alone. */
    readonly resting: (minutes: number) => string;
  };
  /** What a device is asked, in the language of whoever asks; `issuer` may be empty. Both sides show it. */
  readonly request: { readonly signIn: (issuer: string) => string };
  /** While the device is waited for. */
  readonly wait: {
    readonly title: string;
    /** Above the number. */
    readonly number: string;
    /** The number for screen readers, digit by digit. */
    readonly spoken: (first: string, second: string) => string;
    readonly open: (label: string) => string;
    /** Instead, for a device without notifications: the address follows. */
    readonly openList: (label: string) => string;
    /** The address of the page with the open requests follows, to be typed on the device. */
    readonly nothingCame: string;
    readonly compare: string;
    readonly type: string;
    /** A time follows. */
    readonly until: string;
    readonly waiting: string;
    readonly submit: string;
    /** There was no answer yet when the button was pressed. */
    readonly early: (label: string) => string;
    readonly unreachable: string;
    readonly again: string;
  };
  /** What came of it. */
  readonly outcome: {
    readonly deniedTitle: string;
    readonly denied: (label: string) => string;
    readonly deniedAdvice: string;
    readonly expiredTitle: string;
    readonly expired: string;
    readonly approvedTitle: string;
    readonly approved: string;
    readonly goOn: string;
  };
  /** The page of the device itself. */
  readonly approve: {
    readonly title: string;
    readonly needsScript: string;
    /** This browser cannot keep a key. */
    readonly unsupported: string;
    readonly looking: string;
    readonly noneTitle: string;
    readonly none: string;
    readonly noDeviceTitle: string;
    readonly noDevice: string;
    readonly toSettings: string;
    /** The account does not know this device any more. */
    readonly removed: string;
    readonly asked: string;
    readonly browser: string;
    readonly address: string;
    readonly unknown: string;
    readonly timeLeft: string;
    readonly number: string;
    readonly numberHint: string;
    readonly submit: string;
    readonly deny: string;
    readonly notMe: string;
    readonly notMeLead: string;
    readonly notMeSubmit: string;
    /** Notifications can be had, and are not. */
    readonly silent: string;
    readonly notify: string;
    readonly notified: string;
    readonly advice: string;
  };
  /** What the device is told of its answer. */
  readonly answers: {
    readonly approved: string;
    readonly denied: string;
    readonly reported: string;
    readonly noNumber: string;
    readonly wrongNumber: string;
    readonly wrongThrice: string;
    readonly over: string;
    readonly sameBrowser: string;
    readonly frozen: string;
    /** Its clock differs too much, or its key is another. */
    readonly clock: string;
    readonly offline: string;
  };
  /** A device wakes up. It tells nobody's name: lock screens show it. */
  readonly notification: {
    readonly title: (issuer: string) => string;
    readonly body: string;
  };
  readonly settings: {
    /** No message wakes it: it has to be opened. */
    readonly noNotifications: string;
    /** The name of the channel it is reached by. */
    readonly reached: (channel: string) => string;
    readonly removeLead: (label: string) => string;
    readonly addTitle: string;
    readonly addLead: string;
    /** What a device cannot do: approve what is asked for on itself. */
    readonly addElsewhere: string;
    /** Instead, with the account's first factor. */
    readonly addFirst: string;
    readonly addName: string;
    readonly addNameHint: string;
    readonly addSubmit: string;
    readonly addSilently: string;
    readonly needsScript: string;
    readonly unsupported: string;
    /** Why no notifications come here, and that the device can be added all the same. */
    readonly blocked: string;
    readonly dismissed: string;
    readonly notHere: string;
    readonly homeScreen: string;
    readonly waiting: string;
    readonly failed: string;
    readonly alreadyHere: string;
    /** On the page for a new phone. */
    readonly replaceLead: string;
    readonly passwordRefused: string;
    readonly openTitle: string;
    readonly openLead: string;
    readonly open: string;
    /** Which of the devices this browser is. */
    readonly thisDevice: (label: string) => string;
    readonly reported: string;
  };
  /** Why nothing is asked, or a device is not taken, by the reason that clients are told. */
  readonly problems: {
    readonly "push-reported": string;
    readonly "wrong-number": string;
    readonly "host-not-allowed": string;
    readonly "not-a-subscription": string;
    readonly "unknown-channel": string;
  };
}

declare module "../../pages/messages.js" {
  interface WordsByType {
    readonly push?: PushWords;
  }
}

export const pushWords: PushWords = {
  name: "Approval on a device",
  challenge: {
    title: "Approve on your device",
    choose: "Approve on your device",
    lead: (issuer) =>
      `${issuer || "This site"} asks your device, and shows you a number here. You type it on the device to approve.`,
    send: (label) => `Send a request to ${label}`,
    isHere: (label) =>
      `“${label}” is the browser you are using right now, and it cannot approve what is asked for on itself. Use another device, or another way.`,
    hint: "No notifications there? Open the list of requests on that device.",
    resting: (minutes) =>
      `The last requests were denied or left alone, so none is sent for ${minutes === 1 ? "a minute" : `${minutes} minutes`}. Use another way until then.`,
  },
  request: { signIn: (issuer) => (issuer === "" ? "Sign in" : `Sign in to ${issuer}`) },
  wait: {
    title: "Type this number on your device",
    number: "Your number",
    spoken: (first, second) => `${first}, ${second}`,
    open: (label) => `Open the notification on “${label}”.`,
    openList: (label) => `On “${label}”, open this address:`,
    nothingCame: "Nothing came? Open this address there:",
    compare: "Check that it says what you are doing here.",
    type: "Type the number and approve.",
    until: "The request is open until",
    waiting: "Waiting for your device …",
    submit: "I have approved it",
    early: (label) => `There is no answer from “${label}” yet. Approve there first, then press the button again.`,
    unreachable: "The connection was lost. Your request is still open; it goes on by itself.",
    again: "Send another request",
  },
  outcome: {
    deniedTitle: "The request was denied",
    denied: (label) => `“${label}” did not approve it: somebody denied it there, or typed a wrong number three times.`,
    deniedAdvice: "If that was you by mistake, send another request. If it was not, change your password.",
    expiredTitle: "The request is over",
    expired: "It was open for two minutes and was not approved, or another one took its place.",
    approvedTitle: "Approved",
    approved: "Your device has approved it.",
    goOn: "Continue",
  },
  approve: {
    title: "Open requests",
    needsScript:
      "This page needs JavaScript: your answer is signed in this browser. Switch it on and load the page again.",
    unsupported: "This browser cannot keep the key of a device. Use another browser, and no private window.",
    looking: "Looking for requests …",
    noneTitle: "Nothing to approve",
    none: "When you sign in somewhere and choose this device, the request appears here by itself.",
    noDeviceTitle: "This browser is not one of your devices",
    noDevice: "Add it in your security settings. Then it can approve what you do on other devices.",
    toSettings: "Go to security settings",
    removed:
      "This device was removed from your account, so it is asked for nothing more. You can add it again in your security settings.",
    asked: "You are asked to approve",
    browser: "Asked by",
    address: "Address",
    unknown: "unknown",
    timeLeft: "Time left",
    number: "Number on the other screen",
    numberHint: "Two digits, shown where you began this. Nobody shows you a number? Then it is not yours: deny it.",
    submit: "Approve",
    deny: "Deny",
    notMe: "This wasn't me",
    notMeLead:
      "The request is denied, and your devices are not asked again until you have signed in another way. Whoever it was may know your password: change it.",
    notMeSubmit: "Yes, it wasn't me",
    silent:
      "Notifications are off in this browser. Keep this page at hand and open it when you sign in, or turn them on.",
    notify: "Turn on notifications",
    notified: "Notifications are on.",
    advice: "Never approve for somebody who calls or writes to you, whoever they say they are.",
  },
  answers: {
    approved: "Approved. Go on where you began.",
    denied: "Denied. Nothing happens there.",
    reported:
      "Denied and reported. Your devices are not asked again until you have signed in another way. Change your password now.",
    noNumber: "Enter the two digits that are shown where you began this.",
    wrongNumber: "That is not the number. Look at it once more; after the third wrong one the request is denied.",
    wrongThrice: "That was the third wrong number, so the request is denied. Ask for a new one if it was yours.",
    over: "This request is over: it was answered, took too long, or another one took its place.",
    sameBrowser:
      "This is the browser that asks, and it cannot approve for itself. Approve on another device, or use another way.",
    frozen: "A request was reported before, so nothing is approved by devices now. Use another way to sign in.",
    clock:
      "This device could not show who it is. Switch on automatic date and time. If that does not help, remove it in your security settings and add it again.",
    offline: "There is no connection. It is tried again by itself.",
  },
  notification: {
    title: (issuer) => (issuer === "" ? "Is that you?" : `${issuer}: is that you?`),
    body: "Open to see what is asked of you.",
  },
  settings: {
    noNotifications: "No notifications: open the list of requests there",
    reached: () => "With notifications",
    removeLead: (label) =>
      `“${label}” then approves nothing any more. You are signed out everywhere else, and no browser is trusted any more.`,
    addTitle: "Approve on this device",
    addLead:
      "This browser is then asked when you sign in somewhere else: it shows what is going on, and you type a number that you see there.",
    addElsewhere: "Add it on your phone, or in a browser that you do not sign in with: no device approves for itself.",
    addFirst:
      "Add it on your phone, or in a browser that you do not sign in with: no device approves for itself. Then add an authenticator app or a passkey too, so that you can sign in on it as well.",
    addName: "Name of this device (optional)",
    addNameHint: "To tell it from others, for example “My phone”.",
    addSubmit: "Add this device",
    addSilently: "Add it without notifications",
    needsScript: "To add a device, switch on JavaScript in this browser. Any other way works without it.",
    unsupported: "This browser cannot keep the key of a device. Use another browser, and no private window.",
    blocked:
      "Notifications from this site are blocked in this browser. Allow them in its settings, or add the device without: you then open the list of requests yourself.",
    dismissed:
      "Your browser was not allowed to show notifications. Try again and allow them, or add the device without: you then open the list of requests yourself.",
    notHere:
      "This browser shows no notifications of this site, as in a private window. You can add it all the same: you then open the list of requests yourself.",
    homeScreen:
      "On an iPhone or iPad notifications come only to sites on the Home Screen. Tap Share, then “Add to Home Screen”, and add the device from there. Or add it without: you then open the list of requests yourself.",
    waiting: "If your browser asks, allow notifications.",
    failed: "This device could not be added. Try again, or use another way.",
    alreadyHere: "This browser is one of your devices already.",
    replaceLead: "Open this page in the browser of the new phone, and press the button there.",
    passwordRefused: "That password is not right. Check it and try again.",
    openTitle: "Requests to your devices",
    openLead: "Every device has a list of what it is asked. Where no notifications come, open it when you sign in.",
    open: "Open requests",
    thisDevice: (label) => `This browser is “${label}”.`,
    reported:
      "A request to one of your devices was reported as not yours, so none is sent. That ends when you confirm with another method.",
  },
  problems: {
    "push-reported":
      "A request was reported as not yours, so no device is asked for now. Use another way: after that your devices are asked again.",
    "wrong-number":
      "That is not the number. Look at it once more where it is shown; after the third wrong one the request is denied.",
    "host-not-allowed": "Notifications of this browser cannot be sent from here. Add the device without notifications.",
    "not-a-subscription": "Notifications cannot be sent to this browser. Add the device without notifications.",
    "unknown-channel": "Notifications cannot be sent to this device any more. Add it without notifications.",
  },
};
