/**
 * Checks before a connection is accepted: origins and limits.
 *
 * @module
 */
export { createCrossOrigin } from "./cors.ts";
export { isCrossSite } from "./cross_site.ts";
export { handshakeRate, RateLimiter } from "./rate_limiter.ts";
export { SharedRateLimiter } from "./shared_rate_limiter.ts";
export { SharedSocketCounter } from "./shared_socket_counter.ts";
export { socketLimits } from "./socket_limits.ts";
export { anyOrigin, origins } from "./with_origins.ts";
