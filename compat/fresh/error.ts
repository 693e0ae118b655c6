/** The possible statuses of an error. */
export type ErrorStatus =
  | (400 | 401 | 402 | 403 | 404 | 405 | 406 | 407 | 408 | 409 | 410 | 411 | 412 | 413 | 414)
  | (415 | 416 | 417 | 418 | 421 | 422 | 423 | 424 | 425 | 426 | 428 | 429 | 431 | 451)
  | (500 | 501 | 502 | 503 | 504 | 505 | 506 | 507 | 508 | 510 | 511);

/**
 * An error with an HTTP status. If it is thrown below an error page or `app.onError()`, that handles it.
 * Otherwise its message is the body of the response.
 */
export class HttpError extends Error {
  /** Status of the response. */
  status: ErrorStatus;

  /** Creates an error with a status. The default message is the status text. */
  constructor(status: ErrorStatus, message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.status = status;
  }
}

/** Thrown for features that only upstream Fresh has. The message is safe to show: status 501. */
export class StandInError extends HttpError {
  /** Names the missing feature: `<Partial>`, `ipFilter()`. */
  constructor(feature: string) {
    super(
      501,
      `${feature} needs upstream Fresh: the stand-in for Fresh in compat/fresh does not have it. ` +
        "Switch with `deno task fresh upstream`, on a machine that can reach JSR.",
    );
  }
}
