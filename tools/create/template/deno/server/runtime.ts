/** What depends on the runtime: Deno. */
import { mkdir } from "node:fs/promises";
import type { KeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";

export { serve } from "@sluice/sluice/deno";

/** Opens Deno KV in a file that only this user can read. */
export async function openEmbedded(): Promise<KeyValue> {
  await mkdir("data", { recursive: true, mode: 0o700 });
  // With a file, a watch would see only the writes of this process.
  return new DenoKeyValue(() => Deno.openKv("data/app.kv"), { watch: false });
}
