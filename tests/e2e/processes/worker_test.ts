import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Runs `deno task worker`, and collects its output. */
function startWorker(args: readonly string[], env: Record<string, string>) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "worker.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  return {
    process,
    /** Waits until the worker has printed `text` or ended. */
    async until(text: string): Promise<string> {
      while (!printed.includes(text)) {
        const { value, done } = await reader.read();
        if (done) break;
        printed += value;
      }
      return printed;
    },
  };
}

test("deno task worker handles messages from another process, and exits with 0 on SIGTERM", {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-worker-"));
  const path = join(folder, "kv.sqlite3");
  const layer = new KvChannelLayer(new DenoKeyValue(() => Deno.openKv(path)));
  const worker = startWorker(["log"], { DENO_KV_PATH: path, CHANNEL_LAYER: "kv:" });
  try {
    await worker.until("Working");
    await layer.send("log", { type: "line", data: { text: "from elsewhere" } });
    assert.match(await worker.until("from elsewhere"), /from elsewhere/);
    await layer.send("log", { type: "line", data: { text: 5 } });
    assert.match(await worker.until("given up"), /A message was given up/);
    const letter = await layer.receive("dead.log");
    assert.deepEqual((letter.data as { message: { data: unknown } }).message.data, { text: 5 });
    worker.process.kill("SIGTERM");
    assert.match(await worker.until("Stopping"), /handled=1 /);
    assert.equal((await worker.process.status).code, 0);
  } finally {
    await layer.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("deno task worker prints its usage if a channel or a layer is missing", {
  timeout: 60_000,
}, async () => {
  for (
    const [args, message] of [
      [[], "Name one or more of log"],
      [["nothing"], 'No worker serves the channel "nothing"'],
      [["log"], 'CHANNEL_LAYER is "memory:"'],
    ] as const
  ) {
    const layer = message.startsWith("CHANNEL") ? "memory:" : "kv:";
    const worker = startWorker(args, { CHANNEL_LAYER: layer, DENO_KV_PATH: ":memory:" });
    assert.match(await worker.until(message), new RegExp(message));
    assert.equal((await worker.process.status).code, 1);
  }
});
