import { memoryUsage } from "node:process";
import type { ChannelLayer } from "@sluice/sluice/layers";
import type { Handler } from "@sluice/sluice/server";

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A metric of a process: one value, or several with labels. */
export type Metric = readonly [
  name: string,
  kind: "counter" | "gauge",
  help: string,
  value: number | readonly Sample[],
];

/** The metrics of a process; undefined if it did not answer in time. */
export interface Figures {
  readonly pid: number;
  readonly metrics: readonly Metric[] | undefined;
}

/** What the metrics of a process are read from. */
export interface Measured {
  readonly realtime: Handler;
  readonly layer: ChannelLayer;
  /** When the process started, in milliseconds since the epoch. */
  readonly startedAt: number;
}

/**
 * Returns the metrics of this process.
 *
 * *Security*: labels hold only this software's own codes and names, never data from a request.
 */
export function metricsOf({ realtime, layer, startedAt }: Measured): readonly Metric[] {
  const { open, accepted, connected, disconnected, lingering, refused, dropped, unhandled } =
    realtime.stats;
  const { stats } = layer;
  return [
    ["sluice_sockets_open", "gauge", "Open sockets.", open],
    ["sluice_sockets_accepted_total", "counter", "Accepted sockets.", accepted],
    ["sluice_consumers_connected_total", "counter", "Consumers that accepted a socket.", connected],
    [
      "sluice_consumers_disconnected_total",
      "counter",
      "Consumers whose disconnect() ran.",
      disconnected,
    ],
    ["sluice_sockets_lingering", "gauge", "Ended sockets that are not closed yet.", lingering],
    ["sluice_refusals_total", "counter", "Refused requests, by code.", samples("code", refused)],
    ["sluice_sends_dropped_total", "counter", "Messages dropped for slow readers.", dropped],
    ["sluice_layer_unhandled_total", "counter", "Layer messages without a handler.", unhandled],
    ["sluice_layer_channels", "gauge", "Channels in the layer.", stats.channels],
    ["sluice_layer_groups", "gauge", "Groups with members here.", stats.groups],
    ["sluice_layer_sent_total", "counter", "Sends that succeeded.", stats.sent],
    ["sluice_layer_delivered_total", "counter", "Messages that were received.", stats.delivered],
    ["sluice_layer_queued_total", "counter", "Messages that had to be queued.", stats.queued],
    [
      "sluice_layer_dropped_total",
      "counter",
      "Messages that were lost, by reason.",
      samples("reason", Object.entries(stats.dropped)),
    ],
    ["sluice_layer_gaps_total", "counter", "Interruptions of the layer.", stats.gaps],
    ["process_resident_memory_bytes", "gauge", "Resident memory.", memoryUsage().rss],
    ["process_start_time_seconds", "gauge", "Start time in Unix seconds.", startedAt / 1000],
  ];
}

/** Formats metrics in Prometheus' text format 0.0.4. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics.map(render).join("");
}

/**
 * Formats the metrics of several processes as one text: each sample has the label `process` with
 * the process id. `sluice_process_up` is 0 for a process that did not answer.
 */
export function renderProcesses(processes: readonly Figures[]): string {
  const merged = new Map<string, Metric>();
  for (const { pid, metrics } of processes) {
    for (const [name, kind, help, value] of [upMetric(metrics), ...metrics ?? []]) {
      const [, , , before] = merged.get(name) ?? [];
      const labelled = samplesOf(value).map(([labels, number]): Sample => [
        { process: String(pid), ...labels },
        number,
      ]);
      merged.set(name, [name, kind, help, [...samplesOf(before ?? []), ...labelled]]);
    }
  }
  return renderMetrics([...merged.values()]);
}

function upMetric(metrics: Figures["metrics"]): Metric {
  const value = metrics === undefined ? 0 : 1;
  return ["sluice_process_up", "gauge", "Whether the process reported its metrics.", value];
}

function samplesOf(value: Metric[3]): readonly Sample[] {
  return typeof value === "number" ? [[{}, value]] : value;
}

function samples(label: string, values: Iterable<readonly [string, number]>): readonly Sample[] {
  return [...values].map(([name, value]) => [{ [label]: name }, value]);
}

function render([name, kind, help, value]: Metric): string {
  const lines = samplesOf(value).map(([labels, number]) =>
    `${name}${labelText(labels)} ${number}\n`
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
