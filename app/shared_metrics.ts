import { pid } from "node:process";
import type { ParentProcess } from "./child_process.ts";
import { type Figures, type Metric, renderMetrics, renderProcesses } from "./metrics.ts";
import type { ToChild } from "./process_messages.ts";
import { Question } from "./question.ts";

/** How long the process that started this one may take to collect all figures, in milliseconds. */
const COLLECT_MS = 2_000;

/** Figures of this process, or of all processes on its port if it is one of several. */
export class SharedMetrics {
  readonly #own: () => readonly Metric[];
  #parent: ParentProcess | undefined;
  #all: Question<readonly Figures[]> | undefined;

  constructor(own: () => readonly Metric[]) {
    this.#own = own;
  }

  /** Makes this process one of several. */
  connect(parent: ParentProcess): void {
    this.#parent = parent;
    this.#all = new Question(() => parent.send({ type: "collect" }), COLLECT_MS);
  }

  /** Takes a message of the process that started this one. */
  hear(message: ToChild): void {
    if (message.type === "collected") this.#all?.answer(message.processes);
    if (message.type === "sample") this.#parent?.send({ type: "sampled", metrics: this.#own() });
  }

  /** Writes them in Prometheus' text format; this process's alone if the others cannot be asked. */
  async render(): Promise<string> {
    if (this.#all === undefined) return renderMetrics(this.#own());
    return renderProcesses(await this.#all.ask() ?? [{ pid, metrics: this.#own() }]);
  }
}
