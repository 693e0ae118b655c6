/**
 * PendingOwnPublishes every message: `deno run -A examples/echo.ts`.
 *
 * Anyone may connect from pages of this site; there is no sign-in.
 *
 * @module
 */
import { Consumer } from "@sluice/sluice/consumers";
import { allowAnonymous } from "@sluice/sluice/auth";
import { route, stack } from "@sluice/sluice/routing";
import { origins } from "@sluice/sluice/security";
import { serve, toHandler } from "@sluice/sluice/server";

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
