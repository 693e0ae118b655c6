/**
 * Channel layers carry messages between channels and groups. `docs/layer_spec.md` has the guarantees
 * of all layers.
 *
 * @module
 */
export type { LayerGap, LayerMessage } from "../core/consumer.ts";
export type { ChannelLayer, Lease, Mailbox } from "./channel_layer.ts";
export { LayerError } from "./layer_error.ts";
export { MemoryChannelLayer } from "./memory_channel_layer.ts";
export { layer, type LayerScope } from "./with_layer.ts";
