/** Thrown for a message that will never succeed: it becomes a dead letter without further attempts. */
export class Unprocessable extends Error {
  /** Always `UnprocessableError`. */
  override readonly name = "Unprocessable";
}
