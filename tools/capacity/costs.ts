import type { Load, UnitCosts } from "./model.ts";

/**
 * Unit costs on two shared cores. Those of a process are from docs/benchmarks.md, those of PostgreSQL
 * from `deno task bench store_costs`, rounded down and with a network of 0.3 ms. That of Redis is
 * assumed, see docs/guides/capacity.md.
 */
export const MEASURED: UnitCosts = {
  processBytes: 75e6,
  socketBytes: 19e3,
  deliveryUs: 9,
  messageUs: 15,
  upgradeUs: 1_000,
  databaseReads: 30_000,
  databaseCommits: 2_000,
  readMs: 0.5,
  commitMs: 1.5,
  redisMessages: 100_000,
};

/** The load of the guide: a message every 30 s to 20 members, a new socket every 10 minutes. */
export const TYPICAL: Omit<Load, "sockets" | "hosts"> = {
  processesPerHost: 2,
  messagesPerSocket: 1 / 30,
  groupSize: 20,
  socketSeconds: 600,
  signInSeconds: 86_400,
};

/** The loads of the guide. */
export const EXAMPLES: readonly Load[] = [
  { ...TYPICAL, sockets: 10_000, hosts: 2 },
  { ...TYPICAL, sockets: 100_000, hosts: 4 },
  { ...TYPICAL, sockets: 1_000_000, hosts: 20 },
  { ...TYPICAL, sockets: 1_000_000, hosts: 20, messagesPerSocket: 1 / 3_600 },
];
