/**
 * Checks before a connection is accepted: origins and limits.
 *
 * @module
 */
export { createCrossOrigin, type CrossOrigin } from "./cors.ts";
export { isCrossSite } from "./cross_site.ts";
export { networkOf } from "./network_of.ts";
export { type AttemptLimiter, RateLimiter } from "./rate_limiter.ts";
export { handshakeRate } from "./with_handshake_rate.ts";
export { SharedRateLimiter } from "./shared_rate_limiter.ts";
export { SharedSocketCounter } from "./shared_socket_counter.ts";
export type { SocketCounter } from "./socket_counter.ts";
export { type SocketLimits, socketLimits } from "./socket_limits.ts";
export { type AllowedOrigins, anyOrigin, origins } from "./with_origins.ts";
