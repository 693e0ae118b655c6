/**
 * Routing: maps paths to consumers.
 *
 * @module
 */
export type { Application, AudienceScope, Middleware, OriginScope, Scope } from "../core/scope.ts";
export { channelRouter } from "./channel_router.ts";
export { protocolRouter } from "./protocol_router.ts";
export { type Route, route, router } from "./router.ts";
export { type Stack, stack } from "./stack.ts";
export { withRootPath } from "./with_root_path.ts";
