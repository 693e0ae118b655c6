import { pid } from "node:process";
import type { ParentProcess } from "./child_process.ts";
import { type Figures, type Metric, renderMetrics, renderProcesses } from "./metrics.ts";
import type { ToChild } from "./process_messages.ts";
import { Question } from "../http/question.ts";

/** How long the parent may take to collect all metrics, in milliseconds. */
const COLLECT_MS = 2_000;

/** The metrics of this process, or of all processes on its port if it is one of several. */
export class SharedMetrics {
  readonly #own: () => readonly Metric[];
  #parent: ParentProcess | undefined;
  #all: Question<readonly Figures[]> | undefined;

  constructor(own: () => readonly Metric[]) {
    this.#own = own;
  }

  /** Connects this process to its parent, as one of several. */
  connect(parent: ParentProcess): void {
    this.#parent = parent;
    this.#all = new Question(() => parent.send({ type: "collect" }), COLLECT_MS);
  }

  /** Handles a message of the parent. */
  hear(message: ToChild): void {
    if (message.type === "collected") this.#all?.answer(message.processes);
    if (message.type === "sample") this.#parent?.send({ type: "sampled", metrics: this.#own() });
  }

  /** Formats them in Prometheus' text format; only this process's if the others cannot be collected. */
  async render(): Promise<string> {
    if (this.#all === undefined) return renderMetrics(this.#own());
    return renderProcesses(await this.#all.ask() ?? [{ pid, metrics: this.#own() }]);
  }
}
