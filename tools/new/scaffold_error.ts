/** Thrown when nothing was written. Its message is one sentence for the user. */
export class ScaffoldError extends Error {
  override readonly name = "ScaffoldError";
}
