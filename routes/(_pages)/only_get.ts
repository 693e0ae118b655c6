import { MethodNotAllowed } from "../../app/method_not_allowed.ts";

/** Handlers for the methods that a page does not take, where it takes `GET` alone. */
export const ONLY_GET = { POST: refuse, PUT: refuse, PATCH: refuse, DELETE: refuse };

/** Handlers for the methods that a page with a form does not take. */
export const ONLY_GET_AND_POST = { PUT: refuseOthers, PATCH: refuseOthers, DELETE: refuseOthers };

function refuse(): never {
  throw new MethodNotAllowed("GET, HEAD");
}

function refuseOthers(): never {
  throw new MethodNotAllowed("GET, HEAD, POST");
}
