import { memoryUsage } from "node:process";
import type { Services } from "./services.ts";

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
type Metric = readonly [
  name: string,
  kind: "counter" | "gauge",
  help: string,
  value: number | readonly Sample[],
];

/**
 * Writes the process's figures in Prometheus' text format 0.0.4.
 *
 * *Security*: labels hold codes and names of this software's own, nothing that came from a request.
 */
export function renderMetrics({ realtime, layer, startedAt }: Services): string {
  const { open, accepted, connected, disconnected, lingering, refused, dropped, unhandled } =
    realtime.stats;
  const { stats } = layer;
  const metrics: readonly Metric[] = [
    ["sluice_sockets_open", "gauge", "Sockets that are open.", open],
    ["sluice_sockets_accepted_total", "counter", "Sockets that were let in.", accepted],
    ["sluice_consumers_connected_total", "counter", "Consumers that accepted.", connected],
    ["sluice_consumers_disconnected_total", "counter", "Consumers told of the end.", disconnected],
    ["sluice_sockets_lingering", "gauge", "Sockets that are over, not yet let go.", lingering],
    ["sluice_refusals_total", "counter", "Requests not let in, by code.", samples("code", refused)],
    ["sluice_sends_dropped_total", "counter", "Messages dropped for slow readers.", dropped],
    ["sluice_layer_unhandled_total", "counter", "Layer messages without a handler.", unhandled],
    ["sluice_layer_channels", "gauge", "Channels of the layer.", stats.channels],
    ["sluice_layer_groups", "gauge", "Groups with members here.", stats.groups],
    ["sluice_layer_sent_total", "counter", "Sends that succeeded.", stats.sent],
    ["sluice_layer_delivered_total", "counter", "Messages that were taken.", stats.delivered],
    ["sluice_layer_queued_total", "counter", "Messages that had to wait.", stats.queued],
    [
      "sluice_layer_dropped_total",
      "counter",
      "Messages that did not arrive, by reason.",
      samples("reason", Object.entries(stats.dropped)),
    ],
    ["sluice_layer_gaps_total", "counter", "Times in which the layer was cut off.", stats.gaps],
    ["process_resident_memory_bytes", "gauge", "Resident memory.", memoryUsage().rss],
    ["process_start_time_seconds", "gauge", "Start, in Unix time.", startedAt / 1000],
  ];
  return metrics.map(render).join("");
}

function samples(label: string, values: Iterable<readonly [string, number]>): readonly Sample[] {
  return [...values].map(([name, value]) => [{ [label]: name }, value]);
}

function render([name, kind, help, value]: Metric): string {
  const all: readonly Sample[] = typeof value === "number" ? [[{}, value]] : value;
  const lines = all.map(([labels, number]) => `${name}${labelText(labels)} ${number}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
