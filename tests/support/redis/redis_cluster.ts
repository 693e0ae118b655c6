import assert from "node:assert/strict";
import { slotOf } from "../../../lib/redis/redis_slots.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../free_port.ts";
import { RedisServer } from "./redis_server.ts";

const SLOT_COUNT = 16_384;

/** A Redis Cluster for a test, on loopback: some primaries, and replicas of the first ones. */
export class RedisCluster implements AsyncDisposable {
  readonly primaries: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];

  private constructor(primaries: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.primaries = primaries;
    this.replicas = replicas;
  }

  static async start(primaries: number, replicas = 0): Promise<RedisCluster> {
    const nodes = await Promise.all(Array.from({ length: primaries + replicas }, startNode));
    const cluster = new RedisCluster(nodes.slice(0, primaries), nodes.slice(primaries));
    try {
      await cluster.#form();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** The URL of all primaries. */
  get url(): string {
    return `redis://${this.primaries.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  /** Returns the node that has a name, according to the live nodes. */
  async ownerOf(name: string): Promise<RedisServer> {
    const slot = slotOf(name);
    const nodes = [...this.primaries, ...this.replicas];
    for (const node of nodes) {
      const ranges = await node.ask("CLUSTER", "SLOTS").catch(() => []);
      for (const [from, to, [, port]] of ranges as [number, number, [string, number]][]) {
        if (from <= slot && slot <= to) return nodes.find((each) => each.port === port)!;
      }
    }
    throw new Error(`Nobody has ${name}`);
  }

  /** Moves the slot of a name, key by key. Calls `during` while the slot is migrating. */
  async migrate(name: string, to: RedisServer, during = async () => {}): Promise<void> {
    const slot = `${slotOf(name)}`;
    const from = await this.ownerOf(name);
    if (from === to) return;
    const [fromId, toId] = [await idOf(from), await idOf(to)];
    await to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
    await from.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
    await during();
    while (true) {
      const keys = await from.ask("CLUSTER", "GETKEYSINSLOT", slot, "10") as string[];
      if (keys.length === 0) break;
      await from.ask("MIGRATE", "127.0.0.1", `${to.port}`, "", "0", "5000", "KEYS", ...keys);
    }
    await during();
    await to.ask("CLUSTER", "SETSLOT", slot, "NODE", toId);
    await from.ask("CLUSTER", "SETSLOT", slot, "NODE", toId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.primaries, ...this.replicas];
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  async #form(): Promise<void> {
    const nodes = [...this.primaries, ...this.replicas];
    const share = Math.ceil(SLOT_COUNT / this.primaries.length);
    for (const [index, node] of nodes.entries()) {
      await node.ask("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
      if (index >= this.primaries.length) continue;
      const last = Math.min(SLOT_COUNT, (index + 1) * share) - 1;
      await node.ask("CLUSTER", "ADDSLOTSRANGE", `${index * share}`, `${last}`);
    }
    for (const node of nodes.slice(1)) {
      const { port } = nodes[0]!;
      const [, bus] = (await nodes[0]!.ask("CONFIG", "GET", "cluster-port")) as [string, string];
      await node.ask("CLUSTER", "MEET", "127.0.0.1", `${port}`, bus);
    }
    await eventually(() => this.#all(`cluster_known_nodes:${nodes.length}`), 15_000);
    for (const [index, replica] of this.replicas.entries()) {
      const id = await idOf(this.primaries[index]!);
      await eventually(() => replica.ask("CLUSTER", "REPLICATE", id), 15_000);
      await eventually(async () => {
        assert.match(String(await replica.ask("INFO", "replication")), /master_link_status:up/);
      }, 15_000);
    }
    await eventually(() => this.#all("cluster_state:ok"), 15_000);
  }

  async #all(line: string): Promise<void> {
    for (const node of [...this.primaries, ...this.replicas]) {
      assert.ok(String(await node.ask("CLUSTER", "INFO")).includes(line));
    }
  }
}

async function startNode(): Promise<RedisServer> {
  return await RedisServer.start([
    ...["--cluster-enabled", "yes", "--cluster-port", `${freePort()}`],
    ...["--cluster-node-timeout", "15000", "--cluster-replica-no-failover", "yes"],
    ...["--repl-diskless-sync-delay", "0"],
  ]);
}

async function idOf(node: RedisServer): Promise<string> {
  return String(await node.ask("CLUSTER", "MYID"));
}
