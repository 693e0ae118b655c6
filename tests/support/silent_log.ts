import type { Log } from "@sluice/sluice/server";

/** A log that drops everything. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
