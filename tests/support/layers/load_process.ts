/**
 * A child process of a test: `load_process.ts URL PREFIX NAME` continuously sends to a group and
 * receives from it. Prints `ready`, and a report when its input ends.
 */
import type { LayerGap } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";

/** The report of one process. Times are in milliseconds since the epoch. */
export interface LoadReport {
  /** Sent messages, with the start and end of their call. */
  readonly sent: readonly (readonly [number: number, began: number, ended: number])[];
  readonly refused: number;
  /** Errors other than `UNAVAILABLE`. */
  readonly errors: readonly string[];
  readonly received: Readonly<Record<string, readonly number[]>>;
  readonly gaps: readonly LayerGap[];
  /** The duration of the slowest call, in milliseconds. */
  readonly slowest: number;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const [url = "", prefix = "", name = ""] = Deno.args;
  const layer = new RedisChannelLayer(url, { prefix });
  const received: Record<string, number[]> = {};
  const gaps: LayerGap[] = [];
  const channel = layer.newChannel();
  layer.attach(channel, {
    deliver({ type, data }) {
      (received[type] ??= []).push(Number(data));
      return true;
    },
    gap: (gap) => void gaps.push(gap),
  });
  await layer.groupAdd("g", channel);
  console.log("ready");

  const sent: [number, number, number][] = [];
  const errors: string[] = [];
  const calls = new Set<Promise<void>>();
  let refused = 0;
  let slowest = 0;
  let isOver = false;
  const input = Deno.stdin.readable.pipeTo(new WritableStream()).then(() => isOver = true);
  for (let number = 0; !isOver; number++) {
    const began = Date.now();
    const call = layer.groupSend("g", { type: name, data: number }).then(
      () => void sent.push([number, began, Date.now()]),
      (error) => {
        refused++;
        if (error.code !== "UNAVAILABLE") errors.push(String(error));
      },
    ).then(() => {
      slowest = Math.max(slowest, Date.now() - began);
      calls.delete(call);
    });
    calls.add(call);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await input;
  await Promise.all(calls);
  const report: LoadReport = { sent, refused, errors, received, gaps, slowest };
  console.log(JSON.stringify(report));
  await layer.close();
}
