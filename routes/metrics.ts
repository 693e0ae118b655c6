import { define } from "../app/http/define.ts";
import { byMethod } from "../app/http/methods.ts";
import { refuseMetrics } from "../app/http/metrics_access.ts";

/** Metrics for Prometheus; if `METRICS_TOKEN` is set, requests need it. */
export const handlers = define.handlers(byMethod({
  async GET(ctx) {
    const { settings, metrics } = ctx.state.services;
    return refuseMetrics(ctx.req, settings.metricsToken) ?? new Response(await metrics.render(), {
      headers: {
        "content-type": "text/plain; version=0.0.4; charset=utf-8",
        "cache-control": "no-store",
      },
    });
  },
}));
