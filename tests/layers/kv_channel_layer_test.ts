import { after, before } from "node:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { testChannelLayer } from "@sluice/sluice/testing";

const PROCESSES = 3;
let folder = "";
const handles: Deno.Kv[] = [];
let made = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-kv-"));
  while (handles.length < PROCESSES) handles.push(await Deno.openKv(join(folder, "kv.sqlite3")));
});
after(async () => {
  for (const kv of handles) kv.close();
  await rm(folder, { recursive: true, force: true });
});

testChannelLayer(
  "KvChannelLayer",
  ({ system, ...options }) => {
    const kv = handles[made++ % PROCESSES]!;
    return new KvChannelLayer(kv, { ...options, prefix: system, pollMs: 10 });
  },
  { time: "real", processes: true },
);
