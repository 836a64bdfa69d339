import { ConfigurationError } from "../core/errors.js";
import { makesTakers, taker } from "../core/takers.js";
import { visibleText } from "../core/text.js";
import type { MailMessage, TextMessage } from "./message.js";

function printed(message: MailMessage | TextMessage): string {
  const { to, text } = message;
  const destination = typeof to === "string" ? to : to.address;
  const head = "subject" in message ? [`Subject: ${message.subject}`, ""] : [];
  const lines = [...head, ...text.split(/\r?\n/)];
  return [
    `[express-second-factor] For development: nothing was sent to ${visibleText(destination)}, it is printed here.`,
    // A terminal obeys what cannot be seen.
    ...lines.map((line) => `  ${visibleText(line)}`.trimEnd()),
  ].join("\n");
}

/**
 * A `send` of e-mail and SMS codes that prints each message to the terminal, and says that it does. For development: nothing leaves
 * the machine, and whoever reads the output can sign in. Refused in production (`NODE_ENV`), where output ends up in logs.
 *
 * @throws ConfigurationError in production
 *
 * @example
 * ```ts
 * import { backupCodes, consoleSender, emailCode, totp } from "express-second-factor";
 *
 * app.use(secondFactor({ ..., methods: [totp(), backupCodes(), emailCode({ send: consoleSender() })] }));
 * ```
 */
export function consoleSender(): (message: MailMessage | TextMessage) => Promise<void> {
  if (process.env.NODE_ENV === "production") {
    throw new ConfigurationError([
      "consoleSender: prints codes, which is for development; production needs mailSender(), twilioSender(), snsSender() or a function of yours",
    ]);
  }
  const print = async (message: MailMessage | TextMessage): Promise<void> =>
    void process.stdout.write(`${printed(message)}\n`);
  return taker(["mail", "text"], print);
}

makesTakers(consoleSender, "consoleSender()");
