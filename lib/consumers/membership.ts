import type { ChannelLayer } from "../layers/mod.ts";
import type { Connection } from "../core/connection.ts";
import { StopConsumer } from "../core/consumer.ts";

/** The channel of a connection on a layer. It exists, with its groups, until the connection ends. */
export class Membership {
  readonly layer: ChannelLayer;
  readonly name: string;
  readonly #connection: Connection;

  constructor(layer: ChannelLayer, connection: Connection) {
    if (connection.phase === "ended") throw new StopConsumer("The connection has ended");
    this.layer = layer;
    this.#connection = connection;
    this.name = layer.newChannel();
    connection.onEnd(layer.attach(this.name, connection));
  }

  /** Adds the channel to a group. If the connection ends meanwhile, it is in no group afterwards. */
  async add(group: string): Promise<void> {
    this.#assertOpen();
    await this.layer.groupAdd(group, this.name);
    if (this.#connection.phase !== "ended") return;
    await this.layer.groupDiscard(group, this.name);
    throw new StopConsumer("The connection has ended");
  }

  discard(group: string): Promise<void> {
    return this.layer.groupDiscard(group, this.name);
  }

  #assertOpen(): void {
    const { phase } = this.#connection;
    if (phase === "ended") throw new StopConsumer("The connection has ended");
    if (phase === "deciding") {
      throw new TypeError("Cannot join a group before the client is accepted: call accept() first");
    }
  }
}
