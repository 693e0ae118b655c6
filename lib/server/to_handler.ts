import { type Application, assertGuarded, type Scope } from "../core/scope.ts";
import { createHandler } from "./gate.ts";
import type { Handler, HandlerOptions } from "./handler.ts";

/**
 * Turns an application into a function that answers requests, for `Deno.serve`, a Fresh route or
 * anything else that has a `Request`.
 *
 * A request is upgraded only if the application and its consumer accept it. A plain request passes the
 * same checks and is answered with 426 if an upgrade would have been accepted. Refusals are
 * `application/problem+json`.
 *
 * @throws {TypeError} The application does not check origins, reads the session before it does, or
 * accepts anonymous clients without `allowAnonymous()`. The message says what to add.
 *
 * @example
 * ```ts
 * import { allowAnonymous, Consumer, origins, route, stack, toHandler } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(data);
 *   }
 * }
 *
 * const application = stack()
 *   .use(origins())
 *   .use(allowAnonymous())
 *   .routes([route("/ws/echo", Echo)]);
 * const handler = toHandler(application);
 * const headers = { "sec-fetch-site": "same-origin" };
 * const response = await handler(new Request("http://127.0.0.1/ws/echo", { headers }));
 * assert.equal(response.status, 426);
 * ```
 */
export function toHandler(application: Application<Scope>, options: HandlerOptions = {}): Handler {
  assertGuarded(application);
  return createHandler(application, options);
}
