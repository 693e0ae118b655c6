import { HttpError } from "fresh";

/** Thrown where a page is asked for with a method that it does not take. */
export class MethodNotAllowed extends HttpError {
  /** The methods that it takes: the value of `Allow`. */
  readonly allow: string;

  constructor(allow: string) {
    super(405);
    this.allow = allow;
  }
}
