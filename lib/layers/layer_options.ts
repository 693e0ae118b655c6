import { type Clock, systemClock } from "../core/clock.ts";
import { capacityOf } from "./capacity.ts";

/**
 * Options of every channel layer.
 *
 * @internal
 */
export interface ChannelLayerOptions {
  /** Maximum number of messages that a channel holds without a reader. @default {100} */
  readonly capacity?: number;
  /**
   * Capacities by pattern of the channel's name. The first matching rule decides. In a string, `*`
   * matches any run of characters and `?` matches one.
   */
  readonly channelCapacity?: readonly (readonly [pattern: string | RegExp, capacity: number])[];
  /** How long a message waits for a reader, in milliseconds. @default {60_000} */
  readonly expiryMs?: number;
  /** How long a leased message is reserved for its reader, in milliseconds. @default {30_000} */
  readonly leaseMs?: number;
  /** How long a channel without a mailbox stays in a group, in milliseconds. @default {86_400_000} */
  readonly groupExpiryMs?: number;
  /** Maximum size of a message: its JSON in UTF-8, in bytes. @default {1_048_576} */
  readonly maxMessageBytes?: number;
  /** Maximum number of channels in this process. @default {100_000} */
  readonly maxChannels?: number;
  /** Maximum number of groups with members in this process. @default {100_000} */
  readonly maxGroups?: number;
  /** Approximate limit of messages that wait in this process, in bytes. @default {67_108_864} */
  readonly maxWaitingBytes?: number;
  /** Times expiries and leases. @default {systemClock} */
  readonly clock?: Clock;
}

/** {@linkcode ChannelLayerOptions} with all defaults filled in. */
export interface LayerSettings
  extends Required<Omit<ChannelLayerOptions, "capacity" | "channelCapacity">> {
  capacityOf(channel: string): number;
}

const MIB = 1024 * 1024;

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} A number is not positive, or a capacity is not a positive integer.
 */
export function layerSettings(options: ChannelLayerOptions): LayerSettings {
  return {
    capacityOf: capacityOf(options.channelCapacity ?? [], options.capacity ?? 100),
    expiryMs: positive("expiryMs", options.expiryMs ?? 60_000),
    leaseMs: positive("leaseMs", options.leaseMs ?? 30_000),
    groupExpiryMs: positive("groupExpiryMs", options.groupExpiryMs ?? 86_400_000),
    maxMessageBytes: positive("maxMessageBytes", options.maxMessageBytes ?? MIB),
    maxChannels: positive("maxChannels", options.maxChannels ?? 100_000),
    maxGroups: positive("maxGroups", options.maxGroups ?? 100_000),
    maxWaitingBytes: positive("maxWaitingBytes", options.maxWaitingBytes ?? 64 * MIB),
    clock: options.clock ?? systemClock,
  };
}

/**
 * Returns `value` if it is positive.
 *
 * @throws {RangeError} It is not positive.
 */
export function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`Cannot use ${name} ${value}: it must be a number above 0`);
}
