/** Starts the server. `.env.example` lists the settings. */
import process from "node:process";
import { consoleLog as log } from "@sluice/sluice/server";
import { createApp } from "./server/app.ts";
import { serve } from "./server/runtime.ts";
import { createProviders } from "./server/sign_in.ts";
import { openChannels, openDatabase } from "./server/storage.ts";

const { HOST = "127.0.0.1", PORT = "8000", PUBLIC_URL = "", TRUST_PROXY = "" } = process.env;

const kv = await openDatabase();
const channels = await openChannels();
const app = createApp({
  kv,
  channels,
  providers: await createProviders(kv, log),
  log,
  site: { publicUrl: PUBLIC_URL || undefined, trustProxy: TRUST_PROXY === "true" },
});

serve(app.handle, {
  hostname: HOST,
  port: Number(PORT),
  log,
  onListen: ({ hostname, port }) => console.log(`Listening on http://${hostname}:${port}`),
  drain: () => app.realtime.drain(1_000),
  async close() {
    await app.close();
    await channels.close();
    await kv.close();
  },
});
