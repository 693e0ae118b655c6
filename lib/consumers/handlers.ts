import type {
  ClientData,
  ClientType,
  LayerData,
  LayerType,
  Messages,
  ReplyData,
} from "../protocol/mod.ts";

/** What a handler knows of its message besides the data. */
export interface MessageContext {
  /** The `id` that the client gave, where it wants a reply. */
  readonly id: string | undefined;
}

/**
 * One handler per type of message that clients send. What it returns is the reply; a `FrameError`
 * that it throws is the refusal.
 */
export type Handlers<M extends Messages, C> = {
  readonly [T in ClientType<M>]: (
    this: C,
    data: ClientData<M, T>,
    context: MessageContext,
  ) => Answer<ReplyData<M, T>>;
};

/** What a handler returns: nothing where the message declares no reply. */
export type Answer<R> = [R] extends [undefined] ? void | Promise<void> : R | Promise<R>;

/** The handlers of a consumer of class `C`. */
export type HandlersOf<C extends { readonly messages: Messages }> = Handlers<C["messages"], C>;

/** One handler per type of message that consumers send each other. */
export type EventHandlers<M extends Messages, C> = {
  readonly [T in LayerType<M>]: (this: C, data: LayerData<M, T>) => void | Promise<void>;
};

/** The handlers of a consumer of class `C` for messages of other consumers. */
export type EventHandlersOf<C extends { readonly messages: Messages }> = EventHandlers<
  C["messages"],
  C
>;
