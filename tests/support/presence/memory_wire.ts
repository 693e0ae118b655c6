import { type ChannelLayer, LayerError } from "@sluice/sluice/layers";
import type { Clock } from "@sluice/sluice/server";
import type { Bus, BusContext, Published } from "../../../lib/layers/bus/bus.ts";
import { BusChannelLayer } from "../../../lib/layers/bus/bus_channel_layer.ts";
import { ownerOf } from "../../../lib/layers/channel_names.ts";
import { type ChannelLayerOptions, layerSettings } from "../../../lib/layers/layer_options.ts";
import { NOBODY } from "../../../lib/layers/local/local_channel.ts";
import type { PlainMessage } from "../../../lib/layers/input.ts";

/** Carries messages between the processes of a test. */
export class MemoryWire {
  readonly #nodes = new Set<WireNode>();

  /** Connects a process with the timers of `clock`. */
  connect(clock: Clock, options: ChannelLayerOptions = {}): WireNode {
    const node = new WireNode(this, clock, options);
    this.#nodes.add(node);
    return node;
  }

  nodes(): Iterable<WireNode> {
    return this.#nodes;
  }

  disconnect(node: WireNode): void {
    this.#nodes.delete(node);
  }
}

/** One process. It can be disconnected, suspended together with its timers, or killed. */
export class WireNode {
  readonly layer: ChannelLayer;
  readonly clock: Clock;
  readonly #wire: MemoryWire;
  #context!: BusContext;
  #isAsleep = false;
  #isCut = false;
  #held: (() => void)[] = [];
  /** Returns whether a message from another process gets lost. */
  loses: () => boolean = () => false;
  /** Delays everything that is published. */
  gate: Promise<void> | undefined;
  /** The number of published messages. */
  published = 0;

  constructor(wire: MemoryWire, clock: Clock, options: ChannelLayerOptions) {
    this.#wire = wire;
    this.clock = {
      now: () => clock.now(),
      elapsed: () => clock.elapsed(),
      after: (ms, callback) => clock.after(ms, () => this.#whenAwake(callback)),
    };
    this.layer = new WireLayer({ ...options, clock: this.clock }, (context) => {
      this.#context = context;
      return new WireBus(this);
    });
  }

  get process(): string {
    return this.#context.local.names.process;
  }

  /** SIGSTOP: suspends the process; incoming messages are queued. */
  sleep(): void {
    this.#isAsleep = true;
  }

  wake(): void {
    this.#isAsleep = false;
    for (const callback of this.#held.splice(0)) callback();
  }

  /** `kill -9`. */
  kill(): void {
    this.#wire.disconnect(this);
    this.sleep();
  }

  cut(): void {
    this.#isCut = true;
  }

  /** Reconnects, and reports the gap as a layer that noticed it would. */
  mend(options = { tell: true }): void {
    this.#isCut = false;
    if (options.tell) this.#context.gap({ since: 0, until: this.clock.now() });
  }

  publish(group: string, except: string | undefined, plain: PlainMessage): Published {
    this.assertReachable();
    const { local } = this.#context;
    const here = local.groups.has(group) ? local.groups.deliver(group, plain, except) : NOBODY;
    let processes = 0;
    for (const node of this.#others()) {
      if (!node.#context.local.groups.has(group)) continue;
      processes++;
      node.#receive(() => node.#context.receiveForGroup(group, except, plain));
    }
    return { here, processes, members: [] };
  }

  sendThere(channel: string, group: string | undefined, plain: PlainMessage): boolean {
    this.assertReachable();
    const node = [...this.#others()].find((node) => node.process === ownerOf(channel));
    if (node === undefined) return false;
    node.#receive(() => node.#context.receiveDirect(channel, group, plain));
    return true;
  }

  assertReachable(): void {
    if (this.#isCut) throw new LayerError("UNAVAILABLE", "The wire is cut");
  }

  *#others(): Iterable<WireNode> {
    for (const node of this.#wire.nodes()) if (node !== this && !node.#isCut) yield node;
  }

  #receive(take: () => void): void {
    if (!this.loses()) this.#whenAwake(take);
  }

  #whenAwake(callback: () => void): void {
    if (this.#isAsleep) this.#held.push(callback);
    else callback();
  }
}

class WireLayer extends BusChannelLayer {
  constructor(options: ChannelLayerOptions, createBus: (context: BusContext) => Bus) {
    super(layerSettings(options), createBus);
  }
}

class WireBus implements Bus {
  readonly pollMs = 1_000;
  readonly #node: WireNode;

  constructor(node: WireNode) {
    this.#node = node;
  }

  async ready() {
    await this.check();
  }
  onFirstMember() {}
  onLastMember() {}
  subscribed() {
    return Promise.resolve();
  }
  async publish(group: string, except: string | undefined, plain: PlainMessage) {
    this.#node.published++;
    if (this.#node.gate !== undefined) await this.#node.gate;
    return this.#node.publish(group, except, plain);
  }
  async sendRemote(to: { channel: string; group?: string }, plain: PlainMessage) {
    if (this.#node.gate !== undefined) await this.#node.gate;
    return this.#node.sendThere(to.channel, to.group, plain);
  }
  push(): Promise<void> {
    throw new Error("There are no durable channels here");
  }
  sourceOf(): never {
    throw new Error("There are no durable channels here");
  }
  decode(): never {
    throw new Error("There are no durable channels here");
  }
  addMember(): Promise<void> {
    return Promise.resolve();
  }
  removeMember(): Promise<void> {
    return Promise.resolve();
  }
  flushInbound(): Promise<void> {
    return Promise.resolve();
  }
  // deno-lint-ignore require-await
  async check() {
    this.#node.assertReachable();
  }
  flush(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
