// @ts-check
/** Compared in clear: a password hash costs the same behind every stack, and would hide what is measured. */
export const PASSWORD = "correct horse";
