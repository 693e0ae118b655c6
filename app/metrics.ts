import { memoryUsage } from "node:process";
import type { Services } from "./services.ts";

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/**
 * Writes the process's figures in Prometheus' text format 0.0.4.
 *
 * *Security*: labels hold codes and names of this software's own, nothing that came from a request.
 */
export function renderMetrics({ realtime, startedAt }: Services): string {
  const { open, accepted, lingering, refused, dropped } = realtime.stats;
  const refusals = [...refused].map(([code, count]): Sample => [{ code }, count]);
  return [
    metric("sluice_sockets_open", "gauge", "Sockets that are open.", [[{}, open]]),
    metric(
      "sluice_sockets_lingering",
      "gauge",
      "Sockets that are over, whose peer is still there.",
      [
        [{}, lingering],
      ],
    ),
    metric("sluice_sockets_accepted_total", "counter", "Sockets that were let in.", [
      [{}, accepted],
    ]),
    metric("sluice_messages_dropped_total", "counter", "Messages that were dropped, by reason.", [
      [{ reason: "slow_reader" }, dropped],
    ]),
    metric("sluice_refusals_total", "counter", "Requests that were not let in, by code.", refusals),
    metric("process_resident_memory_bytes", "gauge", "Resident memory of the process.", [
      [{}, memoryUsage().rss],
    ]),
    metric("process_start_time_seconds", "gauge", "When the process started, in Unix time.", [
      [{}, startedAt / 1000],
    ]),
  ].join("");
}

function metric(
  name: string,
  kind: "counter" | "gauge",
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
