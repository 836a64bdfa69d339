import type { CodeMessage } from "../core/code-message.js";
import { ConfigurationError } from "../core/errors.js";
import { visibleText } from "../core/text.js";

function printed({ to, subject, text }: CodeMessage): string {
  const destination = typeof to === "string" ? to : to.address;
  const lines = [...(subject === undefined ? [] : [`Subject: ${subject}`, ""]), ...text.split(/\r?\n/)];
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
 * import { consoleSender } from "express-second-factor";
 *
 * const send = consoleSender();
 * ```
 */
export function consoleSender(): (message: CodeMessage) => Promise<void> {
  if (process.env.NODE_ENV === "production") {
    throw new ConfigurationError([
      "consoleSender: prints codes, which is for development; production needs mailSender(), twilioSender(), snsSender() or a function of yours",
    ]);
  }
  return async (message) => void process.stdout.write(`${printed(message)}\n`);
}
