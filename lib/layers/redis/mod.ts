/**
 * The channel layer for processes that share Redis, Redis Cluster or Valkey, version 7 or later.
 *
 * @module
 */
export { RedisChannelLayer } from "./redis_channel_layer.ts";
