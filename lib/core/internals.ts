import type { LayerMessage } from "./consumer.ts";

/** A channel layer as seen by Sluice's own parts, with names that applications cannot use. */
export interface InternalLayer {
  /** Returns a new channel name of this process, valid in this view only. */
  newChannel(prefix?: string): string;
  attach(
    channel: string,
    mailbox: { deliver(message: LayerMessage): boolean; gap?(): void },
  ): () => void;
  send(channel: string, message: LayerMessage): Promise<void>;
  groupAdd(group: string, channel: string): Promise<void>;
  groupSend(
    group: string,
    message: LayerMessage,
    options?: { readonly except?: string },
  ): Promise<{ readonly processes: number | undefined }>;
}

/** The method that returns the internal view of a layer. */
export const INTERNALS: unique symbol = Symbol("sluice.internals");

/**
 * Returns the internal view of a layer. Its groups and channels are separate from those with the same
 * names in applications. A third-party layer without an internal view is returned as it is.
 */
export function internalsOf<L extends object>(layer: L): L | InternalLayer {
  const { [INTERNALS]: view } = layer as { [INTERNALS]?: () => InternalLayer };
  return view?.call(layer) ?? layer;
}
