/** How a user can be reached, as the application knows it. None of it is proved. */
export interface Contact {
  /** An e-mail address. */
  readonly email?: string;
  /** The application says that the address is not proved. Absent: it says nothing, or that it is. */
  readonly emailVerified?: false;
  /** A telephone number, as it is written. */
  readonly phone?: string;
  /** The language they are written to in (BCP 47). */
  readonly locale?: string;
}

const LANGUAGE = /^[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,8}$/i;

/**
 * A language as BCP 47 writes it, or POSIX (`de_CH`); undefined for any other text. It stands in documents and in the headers of mails,
 * and profiles are written by their users.
 */
export function languageOf(text: string): string | undefined {
  const language = text.replaceAll("_", "-");
  return LANGUAGE.test(language) ? language : undefined;
}
