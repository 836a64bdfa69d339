/** What was typed is not understood: nothing was looked at or done. */
export class Misunderstood extends Error {
  override readonly name = "Misunderstood";
}
