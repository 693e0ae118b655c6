/** Starts the server. `.env.example` lists the settings. */
import process from "node:process";
import { consoleLog as log } from "@sluice/sluice/server";
import { createApp } from "./server/app.ts";
import { start } from "./server/runtime.ts";
import { readSettings, SettingError } from "./server/settings.ts";
import { createProviders } from "./server/sign_in.ts";
import { openChannels, openDatabase } from "./server/storage.ts";

const settings = settingsOrExit();
const { hostname, port } = settings;
const kv = await openDatabase(settings);
const channels = await openChannels(settings);
const app = createApp({
  kv,
  channels,
  providers: await createProviders(settings, { kv, log }),
  log,
  site: settings,
});

try {
  await start(app.handle, {
    hostname,
    port,
    log,
    onListen: ({ hostname, port }) => console.log(`Listening on http://${hostname}:${port}`),
    drain: () => app.realtime.drain(1_000),
    async close() {
      await app.close();
      await channels.close();
      await kv.close();
    },
  });
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  exit(`Cannot listen on ${hostname}:${port}: ${reason}`);
}

function settingsOrExit() {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (error instanceof SettingError) exit(error.message);
    throw error;
  }
}

function exit(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
