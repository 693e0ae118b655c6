/** What this machine lacks for a peer or a question, and why: it is named as left out. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}
