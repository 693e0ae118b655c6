import type { Clock } from "../core/clock.ts";
import type { Changes, SyncMessage } from "./sync_message.ts";

/** Dependencies and settings of {@linkcode Peers}. */
export interface PeersContext<C> {
  readonly clock: Clock;
  readonly changes: Changes<C>;
  /** How long a process may be silent before it is dropped, in milliseconds. */
  readonly timeoutMs: number;
  /** How long the entries of a process are kept after its goodbye, in milliseconds. */
  readonly goodbyeMs: number;
  /** Called when a process changes one of its entries. */
  change(process: string, change: C): void;
  /** Asks a process for its whole state. */
  ask(process: string): void;
}

interface Peer<C> {
  /** When its last message arrived, in elapsed milliseconds. */
  seenAt: number;
  /** The version of its known state; undefined before the first state. */
  version: number | undefined;
  askedAt: number;
  /** Cancels the timer that drops a process after its goodbye. */
  cancelGoodbye: (() => void) | undefined;
  /** Its entries by key. */
  readonly known: Map<string, C>;
  /** The parts of an incomplete state. */
  coming: { readonly name: string; readonly parts: Map<number, readonly C[]> } | undefined;
}

/** Shortest time between two requests to one process, in milliseconds. */
const ASK_EVERY_MS = 1_000;

/** Maximum number of known processes. Messages of further ones are ignored. */
const MAX_PEERS = 10_000;

/** The other processes, each with its state as far as known. */
export class Peers<C> {
  readonly #context: PeersContext<C>;
  readonly #peers = new Map<string, Peer<C>>();

  constructor(context: PeersContext<C>) {
    this.#context = context;
  }

  /** The number of processes. */
  get size(): number {
    return this.#peers.size;
  }

  /** The number of processes whose whole state is known. */
  get known(): number {
    return [...this.#peers.values()].filter(({ version }) => version !== undefined).length;
  }

  /** Records that a process is alive. */
  recordHeartbeat(process: string): void {
    const peer = this.#peer(process);
    if (peer !== undefined) peer.seenAt = this.#context.clock.elapsed();
  }

  /** Handles a message of another process. */
  take(message: Exclude<SyncMessage<C>, { kind: "ask" }>): void {
    const { from } = message;
    if (message.kind === "bye") return this.#sayGoodbye(from);
    const peer = this.#peer(from);
    if (peer === undefined) return;
    peer.seenAt = this.#context.clock.elapsed();
    if (message.kind === "state") this.#takeState(from, peer, message);
    else if (message.kind === "beat") this.#expect(from, peer, message.version);
    else if (peer.version === message.version - 1) this.#takeDiff(from, peer, message);
    else this.#expect(from, peer, message.version);
  }

  /** Drops the processes that were silent for too long, as of `now` in elapsed milliseconds. */
  dropSilent(now: number): void {
    for (const [process, peer] of this.#peers) {
      if (now - peer.seenAt >= this.#context.timeoutMs) this.#drop(process, peer);
    }
  }

  /** Restarts the time limit of all processes: this process was the one that missed messages. */
  resetTimeouts(): void {
    const now = this.#context.clock.elapsed();
    for (const peer of this.#peers.values()) peer.seenAt = now;
  }

  /** Drops all processes without reporting changes. */
  close(): void {
    for (const peer of this.#peers.values()) peer.cancelGoodbye?.();
    this.#peers.clear();
  }

  #peer(process: string): Peer<C> | undefined {
    const known = this.#peers.get(process);
    if (known !== undefined || this.#peers.size >= MAX_PEERS) return known;
    const peer = {
      seenAt: -Infinity,
      version: undefined,
      askedAt: -Infinity,
      cancelGoodbye: undefined,
      known: new Map<string, C>(),
      coming: undefined,
    };
    this.#peers.set(process, peer);
    return peer;
  }

  /** Asks for the state unless this version, or a newer one, is known. Older versions are late messages. */
  #expect(process: string, peer: Peer<C>, version: number): void {
    if (peer.version !== undefined && peer.version >= version) return;
    const now = this.#context.clock.elapsed();
    if (now - peer.askedAt < ASK_EVERY_MS) return;
    peer.askedAt = now;
    this.#context.ask(process);
  }

  #takeDiff(
    process: string,
    peer: Peer<C>,
    { version, changes }: { version: number; changes: readonly C[] },
  ): void {
    peer.version = version;
    for (const change of changes) this.#apply(process, peer, change);
  }

  #takeState(
    process: string,
    peer: Peer<C>,
    message: Extract<SyncMessage<C>, { kind: "state" }>,
  ): void {
    const { version, answer, part, parts, changes } = message;
    if (peer.version !== undefined && version < peer.version) return;
    const name = `${version} ${answer} ${parts}`;
    if (peer.coming?.name !== name) peer.coming = { name, parts: new Map() };
    const coming = peer.coming.parts.set(part, changes);
    if (coming.size < parts) return;
    peer.coming = undefined;
    peer.version = version;
    this.#replace(process, peer, [...coming.values()].flat());
  }

  #replace(process: string, peer: Peer<C>, changes: readonly C[]): void {
    const { keyOf, gone } = this.#context.changes;
    const before = [...peer.known];
    for (const change of changes) this.#apply(process, peer, change);
    const now = new Set(changes.map(keyOf));
    for (const [key, change] of before) {
      if (!now.has(key)) this.#apply(process, peer, gone(change));
    }
  }

  #apply(process: string, peer: Peer<C>, change: C): void {
    const { keyOf, isGone } = this.#context.changes;
    if (isGone(change)) peer.known.delete(keyOf(change));
    else peer.known.set(keyOf(change), change);
    this.#context.change(process, change);
  }

  #sayGoodbye(process: string): void {
    const peer = this.#peers.get(process);
    if (peer === undefined || peer.cancelGoodbye !== undefined) return;
    peer.cancelGoodbye = this.#context.clock.after(this.#context.goodbyeMs, () => {
      if (this.#peers.get(process) === peer) this.#drop(process, peer);
    });
  }

  #drop(process: string, peer: Peer<C>): void {
    peer.cancelGoodbye?.();
    this.#peers.delete(process);
    for (const change of [...peer.known.values()]) {
      this.#context.change(process, this.#context.changes.gone(change));
    }
  }
}
