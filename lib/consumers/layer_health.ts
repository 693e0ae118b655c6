import { systemClock } from "../core/clock.ts";
import type { ChannelLayer } from "../layers/mod.ts";

/** How long a successful check of a layer counts, in milliseconds. */
const FRESH_MS = 1_000;

interface LayerHealth {
  checkedAt: number;
  checking: Promise<void> | undefined;
}

const healths = new WeakMap<ChannelLayer, LayerHealth>();

/**
 * Resolves if messages can be sent on a layer: at once if that was so within the last second. Checks
 * at the same time are one check.
 *
 * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
 */
export function assertReachable(layer: ChannelLayer): void | Promise<void> {
  let health = healths.get(layer);
  if (health === undefined) {
    healths.set(layer, health = { checkedAt: -Infinity, checking: undefined });
  }
  const now = systemClock.elapsed();
  if (now - health.checkedAt < FRESH_MS) return;
  return health.checking ??= check(layer, health, now);
}

async function check(layer: ChannelLayer, health: LayerHealth, now: number): Promise<void> {
  try {
    await layer.check();
    health.checkedAt = now;
  } finally {
    health.checking = undefined;
  }
}

/** Whether an object has its own version of a member of `base`, without using it. */
export function overrides(object: object, name: string, base: object): boolean {
  let owner: object | null = object;
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
  return owner !== base;
}
