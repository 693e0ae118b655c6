/**
 * The channel layer for processes that share a {@linkcode KeyValue} database.
 *
 * @module
 */
export { KvChannelLayer } from "./kv_channel_layer.ts";
