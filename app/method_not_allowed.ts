import { HttpError } from "fresh";

/** Thrown if a page is asked for with a method that it does not take: the answer is a page, too. */
export class MethodNotAllowed extends HttpError {
  /** The methods that it takes: the value of `Allow`. */
  readonly allow: string;

  constructor(allow: string) {
    super(405);
    this.allow = allow;
  }
}
