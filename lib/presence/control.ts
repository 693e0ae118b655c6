import type { ChannelLayer } from "../layers/mod.ts";
import type { Clock, LayerMessage } from "../scope.ts";
import { type Change, parseControlMessage, toLayerMessage } from "./control_message.ts";
import type { ControlMessage } from "./control_message.ts";
import { Peers } from "./peers.ts";

/** What a {@linkcode PresenceControl} works with. */
export interface PresenceControlContext<M> {
  readonly layer: ChannelLayer;
  readonly clock: Clock;
  /** The group in which processes talk. */
  readonly group: string;
  readonly beatMs: number;
  readonly silentMs: number;
  readonly leaveDelayMs: number;
  /** How long the first one waits for what other processes know, in milliseconds. */
  readonly syncTimeoutMs: number;
  /** Everything that this process knows. */
  state(): readonly Change<M>[];
  /** Takes what another process knows of a person now. */
  change(process: string, change: Change<M>): void;
}

/** About how much of a state is told at once, in characters. */
const PART_SIZE = 200_000;

/** Most changes that are told at once. */
const MAX_CHANGES = 500;

/**
 * Tells other processes who is here, and hears from them who is there.
 *
 * Each process beats every `beatMs` with the version of its state and tells each change; who misses one
 * asks for the whole. One that was silent for `silentMs` is dropped, by each process for itself. While
 * this process reaches nobody, or was asleep, it drops nobody: then all get that time again.
 */
export class PresenceControl<M> {
  readonly #context: PresenceControlContext<M>;
  readonly #channel: string;
  readonly #peers: Peers<M>;
  #version = 0;
  #changes: Change<M>[] = [];
  #isTelling = false;
  #started: Promise<void> | undefined;
  #isMember = false;
  #isCutOff = false;
  #lastBeatAt = 0;
  #cancelBeat: (() => void) | undefined;
  #leave: (() => void) | undefined;
  #isClosed = false;
  /** Called at each message, for who waits to know enough. */
  #heard: (() => void) | undefined;

  constructor(context: PresenceControlContext<M>) {
    this.#context = context;
    this.#channel = context.layer.newChannel("presence");
    this.#peers = new Peers({
      ...context,
      ask: (process) => this.#sendTo(process, { kind: "ask", from: this.#channel }),
    });
  }

  /** Resolves when it is known who is there, or `syncTimeoutMs` later. Never rejects. */
  ready(): Promise<void> {
    return this.#started ??= this.#start();
  }

  /** Tells a change of this process. */
  tell(change: Change<M>): void {
    this.#changes.push(change);
    if (!this.#isTelling && !this.#isClosed) void this.#tellAll();
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelBeat?.();
    if (this.#isMember) await this.#sendAll({ kind: "bye", from: this.#channel }).catch(() => {});
    this.#leave?.();
  }

  async #start(): Promise<void> {
    const { layer, clock } = this.#context;
    this.#lastBeatAt = clock.now();
    this.#beatLater();
    try {
      this.#leave = layer.attach(this.#channel, {
        deliver: (message) => this.#take(message),
        gap: () => void this.#catchUp().catch(() => {}),
      });
      await this.#join();
      await this.#hearFrom(await this.#askAll());
    } catch {
      // The next beat tries again; until then only the people of this process are known.
      this.#isCutOff = true;
    }
  }

  async #join(): Promise<void> {
    await this.#context.layer.groupAdd(this.#context.group, this.#channel);
    this.#isMember = true;
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
      if (!this.#isMember) await this.#join();
      await this.#sendAll({ kind: "beat", from: this.#channel, version: this.#version });
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
    this.#isTelling = true;
    while (this.#changes.length > 0 && !this.#isClosed) {
      const changes = this.#changes.splice(0, MAX_CHANGES);
      const version = ++this.#version;
      // Who does not get it hears of the version at the next beat, and asks.
      await this.#sendAll({ kind: "diff", from: this.#channel, version, changes }).catch(() => {});
    }
    this.#isTelling = false;
  }

  #take(message: LayerMessage): boolean {
    const control = parseControlMessage<M>(message);
    if (control === undefined || control.from === this.#channel) return true;
    if (control.kind === "ask") this.#answer(control.from);
    else this.#peers.take(control);
    this.#heard?.();
    return true;
  }

  #answer(process: string): void {
    const parts = inParts(this.#context.state());
    const { from, version } = { from: this.#channel, version: this.#version };
    for (const [part, changes] of parts.entries()) {
      this.#sendTo(process, { kind: "state", from, version, part, parts: parts.length, changes });
    }
  }

  /** Returns how many were asked, where that is known. */
  async #askAll(): Promise<number | undefined> {
    return await this.#sendAll({ kind: "ask", from: this.#channel });
  }

  async #sendAll(message: ControlMessage<M>): Promise<number | undefined> {
    const { layer, group } = this.#context;
    const { processes } = await layer.groupSend(group, toLayerMessage(message), {
      except: this.#channel,
    });
    return processes;
  }

  #sendTo(process: string, message: ControlMessage<M>): void {
    this.#context.layer.send(process, toLayerMessage(message)).catch(() => {});
  }
}

function inParts<M>(changes: readonly Change<M>[]): Change<M>[][] {
  let part: Change<M>[] = [];
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
