import type { LayerData, LayerType, Messages, ServerData, ServerType } from "../protocol/mod.ts";

/** A message that a consumer with the messages `M` sends. */
export type ServerMessage<M extends Messages> = {
  readonly [T in ServerType<M>]: { readonly type: T; readonly data: ServerData<M, T> };
}[ServerType<M>];

/** A message that consumers with the messages `M` send to each other. */
export type LayerEvent<M extends Messages> = {
  readonly [T in LayerType<M>]: { readonly type: T; readonly data: LayerData<M, T> };
}[LayerType<M>];
