import { Refusal } from "../protocol/mod.ts";
import { type Application, guarded, type Scope } from "../core/scope.ts";

/**
 * Routes by the kind of request: a WebSocket upgrade (`websocket`) or a plain request (`http`), so
 * that one path can serve both. A kind without an application is refused with 404 `NO_CONSUMER`.
 *
 * It is not needed to reject plain requests: a socket consumer answers them with 426.
 *
 * @example
 * ```ts
 * import { Consumer, HttpConsumer, route, router, type Scope } from "@sluice/sluice";
 * import { protocolRouter } from "@sluice/sluice/routing";
 * import { communicateHttp } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Live extends Consumer {}
 * class Once extends HttpConsumer {
 *   override async handle() {
 *     await this.sendResponse(200, "now");
 *   }
 * }
 *
 * const application = protocolRouter<Scope>({
 *   websocket: router<Scope>([route("/news", Live)]),
 *   http: router<Scope>([route("/news", Once)]),
 * });
 * assert.equal((await communicateHttp(application, { path: "/news" }).response()).text, "now");
 * ```
 */
export function protocolRouter<S extends Scope>(
  applications: { readonly websocket?: Application<S>; readonly http?: Application<S> },
): Application<S> {
  const { websocket, http } = applications;
  const inside = [websocket, http].filter((application) => application !== undefined);
  return guarded(
    (scope) => applications[scope.type]?.(scope) ?? Refusal.of("NO_CONSUMER"),
    inside,
  );
}
