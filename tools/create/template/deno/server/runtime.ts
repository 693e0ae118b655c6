/** What depends on the runtime: Deno. */
import { mkdir } from "node:fs/promises";
import { serve, type ServeOptions } from "@sluice/sluice/deno";
import type { KeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";

/** Starts the server. Throws if it cannot listen. */
export function start(handler: Parameters<typeof serve>[0], options: ServeOptions): void {
  serve(handler, options);
}

/** Opens Deno KV in a file that only this user can read. */
export async function openEmbedded(): Promise<KeyValue> {
  await mkdir("data", { recursive: true, mode: 0o700 });
  // With a file, a watch would see only the writes of this process.
  return new DenoKeyValue(() => Deno.openKv("data/app.kv"), { watch: false });
}
