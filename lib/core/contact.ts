/** How a user can be reached, as the application knows it. None of it is proved. */
export interface Contact {
  /** An e-mail address. */
  readonly email?: string;
  /** A telephone number, as it is written. */
  readonly phone?: string;
  /** The language they are written to in (BCP 47). */
  readonly locale?: string;
}
