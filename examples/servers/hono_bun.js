import { serve } from "@sluice/sluice/bun";
import { app } from "./hono_app.js";
import { realtime } from "./realtime.js";

const isRealtime = (request) => new URL(request.url).pathname.startsWith("/ws/");

serve((request, info) => isRealtime(request) ? realtime(request, info) : app.fetch(request), {
  port: Number(globalThis.process?.env.PORT ?? 8000),
  onListen: ({ hostname, port }) => console.log(`listening on http://${hostname}:${port}`),
  drain: () => realtime.drain(1_000),
});
