/**
 * Echoes every message: `deno run -A examples/echo.ts`.
 *
 * Anyone may connect from pages of this site; there is no sign-in.
 *
 * @module
 */
import { allowAnonymous, Consumer, origins, route, stack, toHandler } from "@sluice/sluice";
import { serve } from "@sluice/sluice/deno";

class EchoConsumer extends Consumer {
  override receive(data: string | Uint8Array): void {
    this.send(data);
  }
}

const realtime = toHandler(
  stack()
    .use(origins())
    .use(allowAnonymous())
    .routes([route("/ws/echo", EchoConsumer)]),
);

serve(realtime, {
  port: Number(Deno.env.get("PORT") ?? 8000),
  drain: () => realtime.drain(1000),
});
