/** Thrown where nothing was written: its message is one sentence for whoever asked. */
export class ScaffoldError extends Error {
  override readonly name = "ScaffoldError";
}
