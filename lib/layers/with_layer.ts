import { adding, type Application, type Middleware, type Scope } from "../core/scope.ts";
import type { ChannelLayer } from "./channel_layer.ts";

/** A scope with channel layers, by alias. */
export interface LayerScope extends Scope {
  /** The layers by alias. */
  readonly layers: NamedLayers;
}

/**
 * Channel layers by alias. Consumers use `default` unless they name another one.
 *
 * @internal
 */
export interface NamedLayers {
  /** The layer that consumers use unless they name another one. */
  readonly default: ChannelLayer;
  /** A further layer. */
  readonly [alias: string]: ChannelLayer;
}

/**
 * Gives consumers one channel layer, or several by alias.
 */
export function withLayer<S>(
  layer: ChannelLayer | NamedLayers,
  next: Application<S & LayerScope>,
): Application<S & Scope> {
  const layers = isLayer(layer) ? { default: layer } : layer;
  return adding({ layers }, next);
}

/**
 * The {@linkcode withLayer} middleware for a `stack()`: gives consumers their channel layer.
 *
 * @example
 * ```ts
 * import { layer, MemoryChannelLayer, origins, stack } from "@sluice/sluice";
 *
 * const withGroups = stack().use(origins()).use(layer(new MemoryChannelLayer()));
 * ```
 */
export function layer(layers: ChannelLayer | NamedLayers): Middleware<Scope, LayerScope> {
  return (next) => withLayer(layers, next);
}

function isLayer(layer: ChannelLayer | NamedLayers): layer is ChannelLayer {
  return typeof layer.groupSend === "function";
}
