/** Thrown if this machine lacks a requirement of a peer or question, which is then left out. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}
