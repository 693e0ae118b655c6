import type { Clock, LayerMessage } from "../scope.ts";
import { type Changes, type GossipMessage, parseGossip } from "./gossip_message.ts";
import { Peers } from "./peers.ts";
import { ProcessGroup, type ProcessLayer } from "./process_group.ts";

/** What a {@linkcode Gossip} works with. */
export interface GossipContext<C> {
  readonly layer: ProcessLayer;
  readonly clock: Clock;
  /** The group in which processes talk, and the type of their messages. */
  readonly group: string;
  readonly type: string;
  readonly changes: Changes<C>;
  /** How often a process says that it is there, in milliseconds. */
  readonly beatMs: number;
  /** How long a process may be silent, in milliseconds. */
  readonly silentMs: number;
  /** How long what a process knew that says goodbye is kept, in milliseconds. */
  readonly goodbyeMs: number;
  /** How long the first one waits for what other processes know, in milliseconds. */
  readonly syncTimeoutMs: number;
  /** The whole state of this process. */
  state(): readonly C[];
  /** Takes what another process says of an entry of its own now. */
  change(process: string, change: C): void;
}

/** About how much of a state is told at once, in characters. */
const PART_SIZE = 200_000;

/** Most changes that are told at once. */
const MAX_CHANGES = 500;

/**
 * Tells other processes the state of this one, and hears theirs: a table, of which each process has
 * entries of its own.
 *
 * Each process beats every `beatMs` with the version of its state and tells each change; who misses one
 * asks for the whole. One that was silent for `silentMs` is dropped, by each process for itself. While
 * this process reaches nobody, or was asleep, it drops nobody: then all get that time again.
 */
export class Gossip<C> {
  readonly #context: GossipContext<C>;
  readonly #group: ProcessGroup;
  readonly #peers: Peers<C>;
  #version = 0;
  #changes: C[] = [];
  #telling: Promise<void> | undefined;
  #started: Promise<void> | undefined;
  #isCutOff = false;
  #lastBeatAt = 0;
  #cancelBeat: (() => void) | undefined;
  #isClosed = false;
  /** Called at each message, for who waits to know enough. */
  #heard: (() => void) | undefined;

  constructor(context: GossipContext<C>) {
    this.#context = context;
    this.#group = new ProcessGroup(context.layer, context.group, context.type);
    this.#peers = new Peers({
      ...context,
      ask: (process) => this.#sendTo(process, { kind: "ask", from: this.#group.channel }),
    });
  }

  /** How many other processes are there. */
  get processes(): number {
    return this.#peers.size;
  }

  /** Resolves when the states of the others are known, or `syncTimeoutMs` later. Never rejects. */
  ready(): Promise<void> {
    return this.#started ??= this.#start();
  }

  /** Tells changes of this process. Resolves when that is done, or has failed. */
  tell(...changes: readonly C[]): Promise<void> {
    this.#changes.push(...changes);
    return this.#telling ??= this.#tellAll();
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelBeat?.();
    if (this.#group.isMember) {
      await this.#sendAll({ kind: "bye", from: this.#group.channel }).catch(() => {});
    }
    this.#group.leave();
  }

  async #start(): Promise<void> {
    this.#lastBeatAt = this.#context.clock.now();
    this.#beatLater();
    try {
      await this.#group.join({
        deliver: (message) => this.#take(message),
        gap: () => void this.#catchUp().catch(() => {}),
      });
      await this.#hearFrom(await this.#askAll());
    } catch {
      // The next beat tries again; until then only the state of this process is known.
      this.#isCutOff = true;
    }
  }

  /** Waits until `count` processes told their state; all the time, where nobody knows how many. */
  async #hearFrom(count: number | undefined): Promise<void> {
    if (count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#context.clock.after(this.#context.syncTimeoutMs, resolve);
    this.#heard = () => {
      if (count !== undefined && this.#peers.known >= count) resolve();
    };
    this.#heard();
    await promise;
    this.#heard = undefined;
    cancel();
  }

  #beatLater(): void {
    const { clock, beatMs } = this.#context;
    // Not all processes at once.
    const pause = beatMs * (0.9 + Math.random() * 0.2);
    this.#cancelBeat = clock.after(pause, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { clock, beatMs } = this.#context;
    const now = clock.now();
    // A timer that is this late says that the process was asleep, and the others were not.
    if (now - this.#lastBeatAt > 2 * beatMs) this.#peers.forgive();
    this.#lastBeatAt = now;
    try {
      if (!this.#group.isMember) await this.#group.rejoin();
      await this.#sendAll({ kind: "beat", from: this.#group.channel, version: this.#version });
      if (this.#isCutOff) await this.#catchUp();
      this.#isCutOff = false;
      // As of before the wait, in which this process may have been asleep.
      this.#peers.dropSilent(now);
    } catch {
      this.#isCutOff = true;
    } finally {
      if (!this.#isClosed) this.#beatLater();
    }
  }

  /** After messages may have been missed. */
  async #catchUp(): Promise<void> {
    this.#peers.forgive();
    await this.#askAll();
  }

  async #tellAll(): Promise<void> {
    while (this.#changes.length > 0 && !this.#isClosed) {
      const changes = this.#changes.splice(0, MAX_CHANGES);
      const version = ++this.#version;
      // Who does not get it hears of the version at the next beat, and asks.
      await this.#sendAll({ kind: "diff", from: this.#group.channel, version, changes }).catch(
        () => {},
      );
    }
    this.#telling = undefined;
  }

  #take(message: LayerMessage): boolean {
    const { type, changes } = this.#context;
    const heard = parseGossip<C>(message, type, changes);
    if (heard === undefined || heard.from === this.#group.channel) return true;
    if (heard.kind === "ask") {
      this.#peers.note(heard.from);
      this.#answer(heard.from);
    } else this.#peers.take(heard);
    this.#heard?.();
    return true;
  }

  #answer(process: string): void {
    const parts = inParts(this.#context.state());
    const { from, version } = { from: this.#group.channel, version: this.#version };
    for (const [part, changes] of parts.entries()) {
      this.#sendTo(process, { kind: "state", from, version, part, parts: parts.length, changes });
    }
  }

  /** Returns how many were asked, where that is known. */
  async #askAll(): Promise<number | undefined> {
    return await this.#sendAll({ kind: "ask", from: this.#group.channel });
  }

  #sendAll(message: GossipMessage<C>): Promise<number | undefined> {
    return this.#group.sendAll(message);
  }

  #sendTo(process: string, message: GossipMessage<C>): void {
    this.#group.sendTo(process, message);
  }
}

function inParts<C>(changes: readonly C[]): C[][] {
  let part: C[] = [];
  const parts = [part];
  let size = 0;
  for (const change of changes) {
    size += JSON.stringify(change).length;
    if (size > PART_SIZE && part.length > 0) {
      parts.push(part = []);
      size = 0;
    }
    part.push(change);
  }
  return parts;
}
