import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { LayerInbox } from "../../../lib/testing/layers/layer_inbox.ts";
import { eventually } from "../../support/eventually.ts";
import type { LoadReport } from "../../support/layers/load_process.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";

const SCRIPT = fileURLToPath(new URL("../../support/layers/load_process.ts", import.meta.url));

/** A process under load; `stop()` returns its report. */
class Load {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(url: string, name: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", SCRIPT, url, "load", name],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = lines(this.#child.stdout);
  }

  async ready(): Promise<void> {
    assert.equal((await this.#lines.next()).value, "ready");
  }

  async stop(): Promise<LoadReport> {
    await this.#child.stdin.close();
    const report = JSON.parse((await this.#lines.next()).value);
    assert.equal((await this.#child.status).code, 0);
    return report;
  }
}

async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const parts = text.split("\n");
    text = parts.pop()!;
    yield* parts;
  }
  return "";
}

/** Waits until messages reach the other processes again, and returns how long that took. */
async function recovered(layer: RedisChannelLayer): Promise<number> {
  const startedAt = performance.now();
  await eventually(async () => {
    assert.equal((await layer.groupSend("g", { type: "probe" })).processes, 2);
  }, 6_000);
  return performance.now() - startedAt;
}

test(
  "RedisChannelLayer reports a gap for every loss while Redis is killed, paused and full",
  { skip: whyNoRedis() ?? false, timeout: 60_000 },
  async () => {
    await using server = await RedisServer.start();
    const layer = new RedisChannelLayer(server.url, { prefix: "load" });
    const loads = [new Load(server.url, "one"), new Load(server.url, "other")];
    for (const load of loads) await load.ready();
    const startedAt = Date.now();
    const inbox = new LayerInbox();
    const channel = layer.newChannel();
    layer.attach(channel, inbox);
    await layer.groupAdd("g", channel);
    /** Waits for some traffic. */
    const work = () => inbox.wait(inbox.messages.length + 200);
    await work();

    await server.kill();
    await eventually(() => assert.rejects(layer.check()));
    await server.restart();
    assert.ok(await recovered(layer) < 5_000);
    await work();

    server.pause();
    await eventually(() => assert.rejects(layer.check()));
    server.resume();
    assert.ok(await recovered(layer) < 5_000);

    await server.command("CONFIG SET maxmemory 1");
    await assert.rejects(layer.send("jobs", { type: "x" }), { code: "UNAVAILABLE" });
    assert.ok(await recovered(layer) < 1_000);
    await work();

    const stoppedAt = Date.now();
    const [one, other] = await Promise.all(loads.map((load) => load.stop()));
    await layer.close();
    for (
      const [sender, name, receiver] of [
        [one!, "one", other!],
        [other!, "other", one!],
        [one!, "one", one!],
      ] as const
    ) {
      const received = receiver.received[name]!;
      assert.deepEqual(received, [...new Set(received)].sort((a, b) => a - b));
      const arrived = new Set(received);
      const lost = sender.sent.filter(([number, began, ended]) =>
        began > startedAt && ended < stoppedAt && !arrived.has(number)
      );
      for (const [number, began, ended] of lost) {
        const isTold = receiver.gaps.some(({ since, until }) => since <= ended && began <= until);
        const story = JSON.stringify({ name, number, began, ended, gaps: receiver.gaps });
        assert.ok(isTold, `A message was lost without a gap: ${story}`);
      }
      assert.deepEqual(sender.errors, []);
      assert.ok(sender.refused > 0);
      assert.ok(sender.gaps.length > 0);
      assert.ok(sender.slowest < 3_000, `a call took ${sender.slowest} ms`);
      assert.ok(sender.sent.length > 100);
    }
  },
);
