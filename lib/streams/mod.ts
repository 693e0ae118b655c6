/**
 * Streams: groups that keep their messages, with offsets, and commands that take effect once.
 * `docs/stream_spec.md` has the guarantees of all stores.
 *
 * @module
 */
export { DurableStreams } from "./durable/durable_streams.ts";
export { streamDoor } from "./http/stream_door.ts";
export { KvStreamStore } from "./kv/kv_stream_store.ts";
export { MemoryStreamStore } from "./memory/memory_stream_store.ts";
export { StreamError } from "./stream_error.ts";
export type { StreamMessage, StreamPosition, StreamStore } from "./stream_store.ts";
export { streams, type StreamScope } from "./with_streams.ts";
