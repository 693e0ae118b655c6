import type { Log } from "@sluice/sluice";

/** A log that drops everything. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
