import type { Clock } from "../scope.ts";
import type { Change, ControlMessage } from "./control_message.ts";

/** What a {@linkcode Peers} works with. */
export interface PeersContext<M> {
  readonly clock: Clock;
  /** How long a process may be silent, in milliseconds. */
  readonly silentMs: number;
  /** How long the people of a process that says goodbye have to come back, in milliseconds. */
  readonly leaveDelayMs: number;
  /** Takes what a process knows of a person now. */
  change(process: string, change: Change<M>): void;
  /** Asks a process for its whole state. */
  ask(process: string): void;
}

interface Peer<M> {
  seenAt: number;
  /** That of the state that is known; nothing before there is one. */
  version: number | undefined;
  askedAt: number;
  isGoing: boolean;
  /** What it knows, by group and key. */
  readonly known: Map<string, Map<string, Change<M>>>;
  /** Parts of a state that is coming. */
  parts: { readonly version: number; readonly changes: (readonly Change<M>[])[] } | undefined;
}

/** How often a process is asked again, in milliseconds. */
const ASK_EVERY_MS = 1_000;

/** Most parts of a state. */
const MAX_PARTS = 10_000;

/** The other processes, and what each of them said of who is there. */
export class Peers<M> {
  readonly #context: PeersContext<M>;
  readonly #peers = new Map<string, Peer<M>>();

  constructor(context: PeersContext<M>) {
    this.#context = context;
  }

  /** How many there are. */
  get size(): number {
    return this.#peers.size;
  }

  /** How many of them told their whole state. */
  get known(): number {
    return [...this.#peers.values()].filter(({ version }) => version !== undefined).length;
  }

  /** Takes a message of another process. */
  take(message: Exclude<ControlMessage<M>, { kind: "ask" }>): void {
    const { from } = message;
    if (message.kind === "bye") return this.#sayGoodbye(from);
    const peer = this.#peer(from);
    peer.seenAt = this.#context.clock.now();
    if (message.kind === "state") this.#takeState(from, peer, message);
    else if (message.kind === "beat") this.#expect(from, peer, message.version);
    else if (peer.version === message.version - 1) this.#takeDiff(from, peer, message);
    else this.#expect(from, peer, message.version);
  }

  /** Forgets those who have been silent for too long, as of `now`. */
  dropSilent(now: number): void {
    for (const [process, peer] of this.#peers) {
      if (now - peer.seenAt >= this.#context.silentMs) this.#drop(process, peer);
    }
  }

  /** Gives all of them time: it was this process that did not hear. */
  forgive(): void {
    const now = this.#context.clock.now();
    for (const peer of this.#peers.values()) peer.seenAt = now;
  }

  #peer(process: string): Peer<M> {
    let peer = this.#peers.get(process);
    if (peer === undefined) {
      peer = {
        seenAt: 0,
        version: undefined,
        askedAt: -Infinity,
        isGoing: false,
        known: new Map(),
        parts: undefined,
      };
      this.#peers.set(process, peer);
    }
    return peer;
  }

  /** Asks for the state where another one is known; an older version came late. */
  #expect(process: string, peer: Peer<M>, version: number): void {
    if (peer.version !== undefined && peer.version >= version) return;
    const now = this.#context.clock.now();
    if (now - peer.askedAt < ASK_EVERY_MS) return;
    peer.askedAt = now;
    this.#context.ask(process);
  }

  #takeDiff(
    process: string,
    peer: Peer<M>,
    { version, changes }: { version: number; changes: readonly Change<M>[] },
  ): void {
    peer.version = version;
    for (const change of changes) this.#apply(process, peer, change);
  }

  #takeState(
    process: string,
    peer: Peer<M>,
    message: Extract<ControlMessage<M>, { kind: "state" }>,
  ): void {
    const { version, part, parts, changes } = message;
    if (peer.version !== undefined && version < peer.version) return;
    if (part < 0 || part >= parts || parts > MAX_PARTS) return;
    if (peer.parts?.version !== version) peer.parts = { version, changes: [] };
    const coming = peer.parts;
    coming.changes[part] = changes;
    // Parts may come twice, or in any order, where two states of one version are on their way.
    for (let index = 0; index < parts; index++) if (coming.changes[index] === undefined) return;
    peer.parts = undefined;
    peer.version = version;
    this.#replace(process, peer, coming.changes.flat());
  }

  #replace(process: string, peer: Peer<M>, changes: readonly Change<M>[]): void {
    const before = [...peer.known.values()].flatMap((people) => [...people.values()]);
    for (const change of changes) this.#apply(process, peer, change);
    const now = new Map<string, Set<string>>();
    for (const [group, key] of changes) {
      now.set(group, (now.get(group) ?? new Set()).add(key));
    }
    for (const [group, key] of before) {
      if (!now.get(group)?.has(key)) this.#apply(process, peer, [group, key, null]);
    }
  }

  #apply(process: string, peer: Peer<M>, change: Change<M>): void {
    const [group, key, entry] = change;
    const people = peer.known.get(group) ?? new Map<string, Change<M>>();
    if (entry === null) people.delete(key);
    else people.set(key, change);
    if (people.size === 0) peer.known.delete(group);
    else peer.known.set(group, people);
    this.#context.change(process, change);
  }

  #sayGoodbye(process: string): void {
    const peer = this.#peers.get(process);
    if (peer === undefined || peer.isGoing) return;
    peer.isGoing = true;
    this.#context.clock.after(this.#context.leaveDelayMs, () => {
      if (this.#peers.get(process) === peer) this.#drop(process, peer);
    });
  }

  #drop(process: string, peer: Peer<M>): void {
    this.#peers.delete(process);
    for (const people of [...peer.known.values()]) {
      for (const [group, key] of [...people.values()]) {
        this.#context.change(process, [group, key, null]);
      }
    }
  }
}
