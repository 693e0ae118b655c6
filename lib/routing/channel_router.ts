/**
 * Dispatches by the name of a channel: what serves `channel`, or a `TypeError` that names those that
 * there are.
 *
 * @typeParam T What serves a channel, such as a class of workers.
 *
 * @example
 * ```ts
 * import { channelRouter } from "@sluice/sluice/routing";
 * import assert from "node:assert/strict";
 *
 * const find = channelRouter({ thumbnails: "makes thumbnails" });
 * assert.equal(find("thumbnails"), "makes thumbnails");
 * assert.throws(() => find("thumbnail"), TypeError);
 * ```
 */
export function channelRouter<T>(routes: Readonly<Record<string, T>>): ChannelRouter<T> {
  const find = (channel: string): T => {
    if (Object.hasOwn(routes, channel)) return routes[channel]!;
    const names = Object.keys(routes).join(", ") || "none";
    throw new TypeError(`Nothing serves the channel "${channel}"; there are: ${names}`);
  };
  return Object.assign(find, { channels: Object.keys(routes) });
}

/** Finds what serves a channel: see {@linkcode channelRouter}. */
export interface ChannelRouter<T> {
  /** @throws {TypeError} Nothing serves it. */
  (channel: string): T;
  /** The channels that are served. */
  readonly channels: readonly string[];
}
