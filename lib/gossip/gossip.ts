import type { Clock, LayerMessage, Log } from "../scope.ts";
import { type Changes, type GossipMessage, parseGossip } from "./gossip_message.ts";
import { Peers } from "./peers.ts";
import { ProcessGroup, type ProcessLayer } from "./process_group.ts";
import { Teller } from "./teller.ts";

/** What a {@linkcode Gossip} works with. */
export interface GossipContext<C> {
  readonly layer: ProcessLayer;
  readonly clock: Clock;
  readonly log?: Pick<Log, "warn"> | undefined;
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

/**
 * Tells other processes the state of this one, and hears theirs: a table, of which each process has
 * entries of its own.
 *
 * Each process beats every `beatMs` with the version of its state and tells each change; who misses one
 * asks for the whole. One that was silent for `silentMs` is dropped, by each process for itself. While
 * this process reaches nobody, or was asleep, it drops nobody: then all get that time again.
 *
 * Every call of the layer has a limit of 3 s: one that hangs delays a beat by no more than that. A
 * message or an entry that cannot be read or sent costs only itself; it is counted, and the first one
 * is logged.
 */
export class Gossip<C> {
  readonly #context: GossipContext<C>;
  readonly #group: ProcessGroup;
  readonly #peers: Peers<C>;
  readonly #teller: Teller<C>;
  #started: Promise<void> | undefined;
  #catchingUp: Promise<void> | undefined;
  #isCutOff = false;
  #lastBeatAt = 0;
  #cancelBeat: (() => void) | undefined;
  #isClosed = false;
  #dropped = 0;
  /** Called at each message, for who waits to know enough. */
  #heard: (() => void) | undefined;

  constructor(context: GossipContext<C>) {
    const { layer, group, type, clock, changes } = context;
    this.#context = context;
    this.#group = new ProcessGroup(layer, { group, type, clock });
    this.#teller = new Teller({
      group: this.#group,
      changes,
      state: () => context.state(),
      refused: (error) => this.#drop("cannot be sent", error),
    });
    this.#peers = new Peers({
      ...context,
      ask: (process) => void this.#ask(process).catch(() => {}),
    });
  }

  /** How many other processes are there. */
  get processes(): number {
    return this.#peers.size;
  }

  /** How many messages and entries were dropped because they could not be read or sent. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when the states of the others are known, or could not be learned in time. Never rejects. */
  ready(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return this.#started ??= this.#start();
  }

  /** Tells changes of this process. Resolves when that is done, or has failed. Never rejects. */
  tell(...changes: readonly C[]): Promise<void> {
    return this.#teller.tell(...changes);
  }

  /** Says goodbye. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelBeat?.();
    this.#teller.close();
    this.#peers.close();
    this.#heard?.();
    if (this.#group.isMember) {
      await this.#group.sendAll({ kind: "bye", from: this.#group.channel }).catch(() => {});
    }
    this.#group.leave();
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    this.#lastBeatAt = this.#context.clock.elapsed();
    this.#beatLater(0);
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

  /** Waits until `count` processes told their state; for the whole time if the count is not known. */
  async #hearFrom(count: number | undefined): Promise<void> {
    if (count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#context.clock.after(this.#context.syncTimeoutMs, resolve);
    this.#heard = () => {
      if (this.#isClosed || (count !== undefined && this.#peers.known >= count)) resolve();
    };
    this.#heard();
    await promise;
    this.#heard = undefined;
    cancel();
  }

  /** @param spentMs How long the last beat took: it is part of the time between two. */
  #beatLater(spentMs: number): void {
    const { clock, beatMs } = this.#context;
    // Not all processes at once.
    const pause = beatMs * (0.9 + Math.random() * 0.2) - spentMs;
    this.#cancelBeat = clock.after(Math.max(0, pause), () => void this.#beat());
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    const { clock, beatMs } = this.#context;
    const now = clock.elapsed();
    // A timer that is this late says that the process was asleep, and the others were not.
    if (now - this.#lastBeatAt > 2 * beatMs) this.#peers.forgive();
    this.#lastBeatAt = now;
    try {
      if (!this.#group.isMember) await this.#group.rejoin();
      const { channel: from } = this.#group;
      await this.#sendAll({ kind: "beat", from, version: this.#teller.version });
      if (this.#isCutOff) await this.#catchUp();
      this.#isCutOff = false;
      // As of before the wait, in which this process may have been asleep.
      this.#peers.dropSilent(now);
    } catch {
      this.#isCutOff = true;
    }
    if (!this.#isClosed) this.#beatLater(clock.elapsed() - now);
  }

  /** After messages may have been missed. Calls that overlap share one question. */
  #catchUp(): Promise<void> {
    this.#peers.forgive();
    return this.#catchingUp ??= this.#askAll().then(() => {}).finally(() => {
      this.#catchingUp = undefined;
    });
  }

  #take(message: LayerMessage): boolean {
    const { type, changes } = this.#context;
    try {
      const heard = parseGossip<C>(message, type, {
        parse: changes.parse,
        malformed: () => this.#drop("cannot be read"),
      });
      if (heard === undefined) this.#drop("cannot be read");
      else if (heard.from !== this.#group.channel) this.#hear(heard);
    } catch (error) {
      this.#drop("cannot be read", error);
    }
    return true;
  }

  #hear(heard: GossipMessage<C>): void {
    if (this.#isClosed) return;
    if (heard.kind === "ask") {
      this.#peers.note(heard.from);
      void this.#teller.answer(heard.from);
    } else this.#peers.take(heard);
    this.#heard?.();
  }

  /** Counts a message or an entry that is left out, and logs the first. */
  #drop(why: string, error?: unknown): void {
    const { log, group } = this.#context;
    if (this.#dropped++ === 0) {
      log?.warn("Part of what processes tell each other was dropped", { group, why, error });
    }
  }

  /** Returns how many were asked, if that is known. */
  #askAll(): Promise<number | undefined> {
    return this.#sendAll({ kind: "ask", from: this.#group.channel });
  }

  #ask(process: string): Promise<void> {
    return this.#group.sendTo(process, { kind: "ask", from: this.#group.channel });
  }

  #sendAll(message: GossipMessage<C>): Promise<number | undefined> {
    return this.#group.sendAll(message);
  }
}
