import { systemClock } from "../core/clock.ts";
import { andThen, isPromise } from "../core/promises.ts";
import { SUBPROTOCOL } from "../protocol/limits.ts";
import type { AcceptOptions } from "../core/connection.ts";
import type { LayerMessage } from "../core/consumer.ts";
import type { Scope } from "../core/scope.ts";
import type { ChannelLayer, LayerScope } from "../layers/mod.ts";
import { AcceptConnection } from "./accept_connection.ts";
import { BaseConsumer, joinGroups, NOTHING_TO_JOIN } from "./base_consumer.ts";

/**
 * Serves one connection. Extend this class; each connection gets its own instance.
 *
 * Methods run one at a time and in order. An error is logged with its stack and closes the socket with
 * 1011; the peer learns no details.
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Shout extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(String(data).toUpperCase());
 *   }
 * }
 *
 * const peer = communicate(Shout);
 * await peer.connect();
 * peer.send("hello");
 * assert.equal(await peer.receive(), "HELLO");
 * ```
 */
export abstract class Consumer<out S extends Scope = Scope, in Sent = LayerMessage>
  extends BaseConsumer<S, Sent> {
  #joined: Promise<void> | undefined;

  /** The supported subprotocols. The first of them that the client offers is selected. */
  get subprotocols(): readonly string[] {
    return [SUBPROTOCOL];
  }

  /**
   * Called by the server: runs {@linkcode connect}, then joins the groups; synchronously if nothing
   * needs to be awaited. Do not override.
   */
  start(): void | Promise<void> {
    return andThen(this.authorize(), (may) => {
      if (!may) return this.refuse();
      return andThen(this.#layerReady(), () => andThen(this.#connect(), () => this.#joined));
    });
  }

  /** @internal Whether the class has groups to join on entry. They may be unknown before `connect()`. */
  get joinsGroups(): boolean {
    return overrides(this, "groups", BaseConsumer.prototype);
  }

  /**
   * Accepts or refuses the client with {@linkcode accept} or `refuse()`. Accepts by default. Code called
   * from here can also throw {@linkcode AcceptConnection} or a `Refusal`.
   */
  connect(): void | Promise<void> {
    this.accept();
  }

  /**
   * Accepts the client at once and joins `groups`. Await the result before sending to one of them. If
   * the request is not an upgrade, the code after this call does not run.
   *
   * @throws {StopConsumer} Synchronously: the request is not an upgrade, or the connection has ended.
   */
  accept(options: AcceptOptions = {}): Promise<void> {
    const { subprotocols, connection } = this.scope;
    const own = this.subprotocols;
    const subprotocol = options.subprotocol ?? subprotocols.find((name) => own.includes(name));
    connection.accept({ ...options, subprotocol });
    const joined = joinGroups(this);
    if (joined !== NOTHING_TO_JOIN) this.#joined = joined;
    return joined;
  }

  /**
   * Sends a message to the client. Returns false if it was dropped because the connection has ended.
   */
  send(data: string | Uint8Array): boolean {
    return this.scope.connection.send(data);
  }

  /** Refuses the client before it is accepted if the layer of its groups cannot be reached. */
  #layerReady(): void | Promise<void> {
    const { layers } = this.scope as S & Partial<LayerScope>;
    const layer = layers?.[this.layerAlias];
    return layer !== undefined && this.joinsGroups ? assertReachable(layer) : undefined;
  }

  #connect(): void | Promise<void> {
    const accepted = (error: unknown) => {
      if (!(error instanceof AcceptConnection)) throw error;
      // `#joined` reports a failed join.
      void this.accept(error.options).catch(() => {});
    };
    try {
      const connecting = this.connect();
      if (isPromise(connecting)) return connecting.then(undefined, accepted);
    } catch (error) {
      accepted(error);
    }
  }
}

/** How long a successful check of a layer counts, in milliseconds. */
const FRESH_MS = 1_000;

interface LayerHealth {
  checkedAt: number;
  checking: Promise<void> | undefined;
}

const healths = new WeakMap<ChannelLayer, LayerHealth>();

/**
 * Resolves if messages can be sent on a layer: at once if that was so within the last second. Checks
 * at the same time are one check.
 *
 * @throws {LayerError} `UNAVAILABLE`, or `CLOSED`.
 */
function assertReachable(layer: ChannelLayer): void | Promise<void> {
  let health = healths.get(layer);
  if (health === undefined) {
    healths.set(layer, health = { checkedAt: -Infinity, checking: undefined });
  }
  const now = systemClock.elapsed();
  if (now - health.checkedAt < FRESH_MS) return;
  return health.checking ??= check(layer, health, now);
}

async function check(layer: ChannelLayer, health: LayerHealth, now: number): Promise<void> {
  try {
    await layer.check();
    health.checkedAt = now;
  } finally {
    health.checking = undefined;
  }
}

/** Whether an object has its own version of a member of `base`, without using it. */
function overrides(object: object, name: string, base: object): boolean {
  let owner: object | null = object;
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
  return owner !== base;
}
