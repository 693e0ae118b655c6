/**
 * `deno task worker NAME…`: handles the messages of named channels until it is stopped. This file
 * maps channels to workers.
 *
 * @module
 */
import { channelRouter } from "@sluice/sluice/routing";
import { runWorker, Worker } from "@sluice/sluice/workers";
import { services } from "./app/services.ts";
import { SettingError } from "./app/settings/settings.ts";
import { failAtWrongSetting, failStart } from "./app/process/start_failure.ts";
import { LogWorker } from "./consumers/log_worker.ts";

const workers = channelRouter({
  log: LogWorker,
});

if (import.meta.main) await run(Deno.args).catch(failAtWrongSetting);

async function run(channels: readonly string[]): Promise<void> {
  const unknown = channels.filter((name) => !workers.channels.includes(name));
  if (channels.length === 0 || unknown.length > 0) {
    const names = workers.channels.join(", ");
    failStart(
      unknown.length === 0
        ? `Name one or more of ${names}.`
        : `No worker serves the channel "${unknown[0]}": name one or more of ${names}.`,
    );
  }
  const { settings, layer, log, close } = services();
  if (settings.channelLayer === "memory:") {
    throw new SettingError(
      "CHANNEL_LAYER",
      'is "memory:", which other processes cannot send to, but a worker accepts kv: or redis://…',
    );
  }
  await runWorker(new Worker(workers, { layer, log }), channels, { log, close });
}
