/**
 * `deno task worker NAME…`: handles the messages of named channels, until it is told to stop. Which
 * worker serves which channel is written here.
 *
 * @module
 */
import { channelRouter } from "@sluice/sluice/routing";
import { runWorker, Worker } from "@sluice/sluice/workers";
import { services } from "./app/services.ts";
import { SettingError } from "./app/settings.ts";
import { LogWorker } from "./consumers/log_worker.ts";

const workers = channelRouter({
  log: LogWorker,
});

if (import.meta.main) await run(Deno.args);

async function run(channels: readonly string[]): Promise<void> {
  try {
    if (channels.length === 0) throw new TypeError(`Name one or more of ${workers.channels}`);
    const { settings, layer, log, close } = services();
    if (settings.channelLayer === "memory:") {
      throw new SettingError(
        "CHANNEL_LAYER",
        'is "memory:", which no other process can send to, but a worker takes kv: or redis://…',
      );
    }
    await runWorker(new Worker(workers, { layer, log }), channels, { log, close });
  } catch (error) {
    if (!(error instanceof SettingError || error instanceof TypeError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
