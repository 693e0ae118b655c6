/** A project that cannot be created, with a message for the user. */
export class CreateError extends Error {
  override readonly name = "CreateError";
}
