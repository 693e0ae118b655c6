/** Thrown for a message that no further attempt can help: it goes to the dead letters at once. */
export class Unprocessable extends Error {
  override readonly name = "Unprocessable";
}
