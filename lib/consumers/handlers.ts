import type { Messages } from "../protocol/mod.ts";
import type { ClientData } from "../protocol/messages.ts";
import type { ClientType, LayerData, LayerType, ReplyData } from "../protocol/messages.ts";

/**
 * One handler per type of client message. Its return value is the reply; a `FrameError` that it throws
 * is the refusal.
 *
 * @internal
 */
export type Handlers<M extends Messages, C> = {
  readonly [T in ClientType<M>]: (
    this: C,
    data: ClientData<M, T>,
    context: {
      /** The `id` that the client set if it expects a reply. */
      readonly id: string | undefined;
    },
  ) => [ReplyData<M, T>] extends [undefined] ? void | Promise<void>
    : ReplyData<M, T> | Promise<ReplyData<M, T>>;
};

/** The handlers of a consumer of class `C`. */
export type HandlersOf<C extends { readonly messages: Messages }> = Handlers<C["messages"], C>;

/**
 * One handler per type of message between consumers.
 *
 * @internal
 */
export type EventHandlers<M extends Messages, C> = {
  readonly [T in LayerType<M>]: (this: C, data: LayerData<M, T>) => void | Promise<void>;
};

/** The handlers of a consumer of class `C` for messages between consumers. */
export type EventHandlersOf<C extends { readonly messages: Messages }> = EventHandlers<
  C["messages"],
  C
>;
