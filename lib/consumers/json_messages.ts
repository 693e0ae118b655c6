import type { Messages, ServerData } from "../protocol/mod.ts";
import type { LayerData, LayerType, ServerType } from "../protocol/messages.ts";

/**
 * A message that a consumer with the messages `M` sends.
 *
 * @internal
 */
export type ServerMessage<M extends Messages> = {
  readonly [T in ServerType<M>]: { readonly type: T; readonly data: ServerData<M, T> };
}[ServerType<M>];

/**
 * A message that consumers with the messages `M` send to each other.
 *
 * @internal
 */
export type LayerEvent<M extends Messages> = {
  readonly [T in LayerType<M>]: { readonly type: T; readonly data: LayerData<M, T> };
}[LayerType<M>];
