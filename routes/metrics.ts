import { define } from "../app/define.ts";
import { byMethod } from "../app/methods.ts";
import { renderMetrics } from "../app/metrics.ts";

/** Figures for Prometheus. */
export const handlers = define.handlers(byMethod({
  GET: (ctx) =>
    new Response(renderMetrics(ctx.state.services), {
      headers: {
        "content-type": "text/plain; version=0.0.4; charset=utf-8",
        "cache-control": "no-store",
      },
    }),
}));
