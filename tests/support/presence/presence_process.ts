import type { Connection } from "@sluice/sluice/consumers";
import type { ChannelLayerOptions } from "../../../lib/layers/layer_options.ts";
import { Presence } from "@sluice/sluice/presence";
import type { PresenceMessages, PresenceOptions } from "../../../lib/presence/presence_options.ts";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { FakeConnection } from "../fake_connection.ts";
import { MemoryWire, type WireNode } from "./memory_wire.ts";

/** Options of {@linkcode PresenceProcess}. */
export interface ProcessOptions extends PresenceOptions {
  readonly layer?: ChannelLayerOptions;
  readonly messages?: Partial<PresenceMessages<unknown>>;
}

/** One process with presence and a listener in the room, on a wire with others. */
export class PresenceProcess {
  readonly node: WireNode;
  readonly presence: Presence<unknown>;
  /** The messages that members of the room in this process received. */
  readonly told: string[] = [];
  /** Warnings in the log. */
  readonly warnings: string[] = [];

  constructor(wire: MemoryWire, clock: FakeClock, options: ProcessOptions = {}) {
    this.node = wire.connect(clock, options.layer);
    const { layer } = this.node;
    this.presence = new Presence<unknown>(layer, {
      joined: (meta) => ({ type: "joined", data: meta }),
      left: (meta) => ({ type: "left", data: meta }),
      updated: (meta) => ({ type: "updated", data: meta }),
      ...options.messages,
    }, {
      clock: this.node.clock,
      log: { warn: (message) => this.warnings.push(message) },
      ...options,
    });
    const channel = layer.newChannel();
    layer.attach(channel, {
      deliver: ({ type, data }) => this.told.push(`${type} ${data}`) > 0,
    });
    layer.groupAdd("room", channel).catch(() => {});
  }

  async enter(
    key: string,
    options: { meta?: unknown; connection?: Connection; group?: string } = {},
  ): Promise<Connection> {
    const { meta = key, connection = FakeConnection.open(), group = "room" } = options;
    await this.presence.enter(group, { key, meta }, { connection });
    await settle();
    return connection;
  }

  get people(): unknown[] {
    return [...this.presence.list("room")].sort();
  }
}

/** Several processes on one wire. */
export function startProcesses(count: number, options?: ProcessOptions) {
  const clock = new FakeClock();
  const wire = new MemoryWire();
  const start = () => new PresenceProcess(wire, clock, options);
  return { clock, wire, start, processes: Array.from({ length: count }, start) };
}
