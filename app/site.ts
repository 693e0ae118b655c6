import type { Handler } from "@sluice/sluice/server";
import { metricsOf } from "./process/metrics.ts";
import { SharedMetrics } from "./process/shared_metrics.ts";
import type { Services } from "./services.ts";

/** What routes use: the services, and the socket handler on top of them. */
export interface Site extends Services {
  /** Answers `/ws/…`. */
  readonly realtime: Handler;
  /** Metrics for Prometheus. */
  readonly metrics: SharedMetrics;
}

/** Puts a socket handler on top of services. */
export function createSite(services: Services, realtime: Handler): Site {
  const { layer, startedAt } = services;
  const metrics = new SharedMetrics(() => metricsOf({ realtime, layer, startedAt }));
  return { ...services, realtime, metrics };
}
