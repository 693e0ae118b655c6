import { test } from "node:test";
import type { ChannelLayer } from "../../layers/mod.ts";
import type { ChannelLayerOptions } from "../../layers/layer_options.ts";
import { type DefineLayerTest, LayerBed } from "./layer_bed.ts";
import { capacityTests, processCapacityTests } from "./layer_capacity_tests.ts";
import { channelTests } from "./layer_channel_tests.ts";
import { durableTests } from "./layer_durable_tests.ts";
import { groupTests } from "./layer_group_tests.ts";
import { leaseTests, processLeaseTests } from "./layer_lease_tests.ts";
import { lossTests } from "./layer_loss_tests.ts";
import { messageTests } from "./layer_message_tests.ts";
import { nameTests } from "./layer_name_tests.ts";
import { processTests } from "./layer_process_tests.ts";

/**
 * Defines the tests of `docs/layer_spec.md` for one driver with `node:test`: a test for each
 * guarantee, with the number from the specification.
 *
 * @param create Creates a layer. Layers with the same `system` act as processes of one system.
 *
 * @example
 * ```ts ignore
 * import { MemoryChannelLayer } from "@sluice/sluice";
 * import { testChannelLayer } from "@sluice/sluice/testing";
 *
 * testChannelLayer("MemoryChannelLayer", (options) => new MemoryChannelLayer(options));
 * ```
 */
export function testChannelLayer(
  name: string,
  create: (
    options: ChannelLayerOptions & { readonly system: string },
  ) => ChannelLayer | Promise<ChannelLayer>,
  options: {
    /**
     * Whether the driver uses only the clock that it is given. Otherwise its tests wait in real time,
     * for expiries of 50 to 200 ms. @default {"fake"}
     */
    readonly time?: "fake" | "real";
    /** Whether layers with the same `system` reach each other. @default {false} */
    readonly processes?: boolean;
    /** Why the suite must be skipped, such as a missing server. */
    readonly skip?: string | undefined;
    /** Time limit of a test, in milliseconds. @default {10_000} */
    readonly timeoutMs?: number;
  } = {},
): void {
  const { time = "fake", skip = false, timeoutMs: timeout = 10_000 } = options;
  const define: DefineLayerTest = (sentence, body) => {
    test(`${name} ${sentence}`, { skip, timeout }, async () => {
      const bed = new LayerBed(create, time);
      try {
        await body(bed);
      } finally {
        await bed.close();
      }
    });
  };
  nameTests(define);
  messageTests(define);
  channelTests(define);
  leaseTests(define);
  durableTests(define);
  groupTests(define);
  lossTests(define);
  capacityTests(define);
  if (!options.processes) return;
  processTests(define);
  processLeaseTests(define);
  processCapacityTests(define);
}
