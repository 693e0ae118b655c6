/**
 * What may connect at all: origins and limits.
 *
 * @module
 */
export { createCrossOrigin, type CrossOrigin } from "./cors.ts";
export { isCrossSite } from "./cross_site.ts";
export { isSameOrigin, type Origin, originOf, parseOrigin } from "./origin.ts";
export { type OriginRule, parseOriginRule } from "./origin_rules.ts";
export { type IdentifiedScope, type SocketLimits, withSocketLimits } from "./socket_limits.ts";
export { type AllowedOrigins, withOrigins } from "./with_origins.ts";
