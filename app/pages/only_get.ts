import { MethodNotAllowed } from "../http/method_not_allowed.ts";

/** Handlers that refuse all methods except `GET` and `HEAD`. */
export const ONLY_GET = { POST: refuse, PUT: refuse, PATCH: refuse, DELETE: refuse };

/** Handlers that refuse all methods except `GET`, `HEAD` and `POST`, for pages with a form. */
export const ONLY_GET_AND_POST = { PUT: refuseOthers, PATCH: refuseOthers, DELETE: refuseOthers };

function refuse(): never {
  throw new MethodNotAllowed("GET, HEAD");
}

function refuseOthers(): never {
  throw new MethodNotAllowed("GET, HEAD, POST");
}
