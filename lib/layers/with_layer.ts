import type { Application, Scope } from "../scope.ts";
import type { ChannelLayer } from "./channel_layer.ts";

/** A scope with channel layers, by alias. */
export interface LayerScope extends Scope {
  readonly layers: Layers;
}

/** Channel layers by alias; consumers use `default` where they name no other. */
export interface Layers {
  readonly default: ChannelLayer;
  readonly [alias: string]: ChannelLayer;
}

/**
 * Gives consumers their channel layer, or several by alias.
 *
 * @example
 * ```ts
 * import { type LayerScope, MemoryChannelLayer, withLayer } from "@sluice/sluice/layers";
 * import { router } from "@sluice/sluice/routing";
 *
 * const application = withLayer(new MemoryChannelLayer(), router<LayerScope>([]));
 * ```
 */
export function withLayer<S>(
  layer: ChannelLayer | Layers,
  next: Application<S & LayerScope>,
): Application<S & Scope> {
  const layers = isLayer(layer) ? { default: layer } : layer;
  return (scope) => next(Object.assign(scope, { layers }));
}

function isLayer(layer: ChannelLayer | Layers): layer is ChannelLayer {
  return typeof layer.groupSend === "function";
}
