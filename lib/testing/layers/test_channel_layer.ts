import type { ChannelLayer } from "../../layers/mod.ts";
import type { ChannelLayerOptions } from "../../layers/layer_options.ts";
import { defineOn, type SystemSuiteOptions } from "../bed.ts";
import { LayerBed } from "./layer_bed.ts";
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
  options: SystemSuiteOptions = {},
): void {
  const define = defineOn(name, () => new LayerBed(create, options.time), options);
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
