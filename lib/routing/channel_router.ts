/**
 * Returns a function that looks up the target of a channel name. For an unknown channel it throws a `TypeError` that lists the
 * known ones.
 *
 * @typeParam T The target of a channel, such as a worker class.
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
export function channelRouter<T>(routes: Readonly<Record<string, T>>): ((channel: string) => T) & {
  /** The known channels. */
  readonly channels: readonly string[];
} {
  const find = (channel: string): T => {
    if (Object.hasOwn(routes, channel)) return routes[channel]!;
    const names = Object.keys(routes).join(", ") || "none";
    throw new TypeError(`Nothing serves the channel "${channel}"; known channels: ${names}`);
  };
  return Object.assign(find, { channels: Object.keys(routes) });
}
