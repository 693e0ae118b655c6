import { HttpError } from "fresh";

/** Thrown when a page does not accept the method of a request; results in an error page. */
export class MethodNotAllowed extends HttpError {
  /** The accepted methods: the value of `Allow`. */
  readonly allow: string;

  constructor(allow: string) {
    super(405);
    this.allow = allow;
  }
}
