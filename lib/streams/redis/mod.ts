/**
 * The store of streams for processes that share Redis, Redis Cluster or Valkey, version 7 or later.
 *
 * @module
 */
export { RedisStreamStore } from "./redis_stream_store.ts";
