import type { LayerMessage } from "./scope.ts";

/** A channel layer as Sluice's own parts use it, for names that applications cannot use. */
export interface InternalLayer {
  /** Returns a new name for a channel of this process, that only this view takes. */
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

/** The method by which a layer gives its internal view. */
export const INTERNALS: unique symbol = Symbol("sluice.internals");

/**
 * Returns the internal view of a layer: its groups and channels have nothing to do with those of the
 * same names that applications use. A layer of another make has none: it is used as it is.
 */
export function internalsOf<L extends object>(layer: L): L | InternalLayer {
  const { [INTERNALS]: view } = layer as { [INTERNALS]?: () => InternalLayer };
  return view?.call(layer) ?? layer;
}
