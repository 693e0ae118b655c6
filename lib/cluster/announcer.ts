import { Buffer } from "node:buffer";
import type { Changes, SyncMessage } from "./sync_message.ts";
import type { ProcessGroup } from "./process_group.ts";

/** Dependencies of a {@linkcode Announcer}. */
export interface AnnouncerContext<C> {
  readonly group: ProcessGroup;
  readonly changes: Changes<C>;
  /** Returns the whole state of this process. */
  state(): readonly C[];
  /** Called for an entry that the layer refuses; the other entries are still sent. */
  refused(error: unknown): void;
}

/** Approximate size of a part of a state, in bytes. Halved for a layer that refuses it. */
const PART_BYTES = 200_000;

/** Maximum number of changes in one message. */
const MAX_CHANGES = 500;

/**
 * Sends the changes of this process to the others, and the whole state to a process that asks.
 *
 * Only one call of each kind is pending at a time; if an entry changes meanwhile, only its last change is
 * sent. An entry that cannot be sent does not affect others.
 */
export class Announcer<C> {
  readonly #context: AnnouncerContext<C>;
  readonly #changes = new Map<string, C>();
  readonly #answering = new Set<string>();
  #version = 0;
  #answers = 0;
  #partBytes = PART_BYTES;
  #telling: Promise<void> | undefined;
  #isClosed = false;

  constructor(context: AnnouncerContext<C>) {
    this.#context = context;
  }

  /** The version of this process's state. */
  get version(): number {
    return this.#version;
  }

  /** Sends changes of this process. Resolves when that succeeded or failed. Never rejects. */
  announce(...changes: readonly C[]): Promise<void> {
    if (this.#isClosed || changes.length === 0) return Promise.resolve();
    for (const change of changes) this.#changes.set(this.#context.changes.keyOf(change), change);
    return this.#telling ??= this.#tellAll();
  }

  /** Sends the whole state to one process; no effect while that is under way. Never rejects. */
  async answer(process: string): Promise<void> {
    if (this.#answering.has(process)) return;
    this.#answering.add(process);
    try {
      while (!this.#isClosed && !await this.#sendState(process));
    } catch {
      /* The process asks again at the next heartbeat. */
    } finally {
      this.#answering.delete(process);
    }
  }

  /** Stops sending. */
  close(): void {
    this.#isClosed = true;
    this.#changes.clear();
  }

  async #tellAll(): Promise<void> {
    const { group } = this.#context;
    while (this.#changes.size > 0) {
      const changes = this.#takeBatch();
      const message: SyncMessage<C> = {
        kind: "diff",
        from: group.channel,
        version: ++this.#version,
        changes,
      };
      await group.sendAll(message).catch((error) => this.#failed(changes, error));
    }
    this.#telling = undefined;
  }

  #takeBatch(): readonly C[] {
    const limits = { bytes: this.#partBytes, changes: MAX_CHANGES };
    const [batch = []] = inParts(this.#changes.values(), limits);
    for (const change of batch) this.#changes.delete(this.#context.changes.keyOf(change));
    return batch;
  }

  #failed(changes: readonly C[], error: unknown): void {
    if (!isContentRefused(error)) return this.#fallBehind();
    if (changes.length === 1) return this.#context.refused(error);
    this.#halveParts();
    for (const change of changes) {
      const key = this.#context.changes.keyOf(change);
      if (!this.#changes.has(key)) this.#changes.set(key, change);
    }
  }

  /** Discards pending changes: the next heartbeat has a new version, so the others ask for the state. */
  #fallBehind(): void {
    if (this.#changes.size > 0) this.#version++;
    this.#changes.clear();
  }

  /** Returns false if a part was too large: the whole state must then be sent again. */
  async #sendState(process: string): Promise<boolean> {
    const { group, state, refused } = this.#context;
    const parts = [...inParts(state(), { bytes: this.#partBytes })];
    const head = {
      kind: "state",
      from: group.channel,
      version: this.#version,
      answer: this.#answers++,
      parts: parts.length,
    } as const;
    for (const [part, changes] of parts.entries()) {
      try {
        await group.sendTo(process, { ...head, part, changes });
      } catch (error) {
        if (!isContentRefused(error)) throw error;
        if (changes.length > 1) {
          this.#halveParts();
          return false;
        }
        refused(error);
        await group.sendTo(process, { ...head, part, changes: [] });
      }
    }
    return true;
  }

  #halveParts(): void {
    this.#partBytes = Math.max(1, Math.floor(this.#partBytes / 2));
  }
}

/** Limits for the size of a part. */
interface PartLimits {
  /** Approximate size in bytes of JSON; a single change may exceed it. */
  readonly bytes: number;
  /** @default {Infinity} */
  readonly changes?: number;
}

/** Divides changes into parts lazily. Yields at least one part. */
function* inParts<C>(changes: Iterable<C>, limits: PartLimits): Generator<C[]> {
  const { changes: maxChanges = Infinity } = limits;
  let part: C[] = [];
  let size = 0;
  for (const change of changes) {
    const bytes = Buffer.byteLength(JSON.stringify(change));
    const isFull = size + bytes > limits.bytes || part.length >= maxChanges;
    if (isFull && part.length > 0) {
      yield part;
      part = [];
      size = 0;
    }
    size += bytes;
    part.push(change);
  }
  yield part;
}

/** Returns whether a layer refused a message because of its content, so that a retry cannot succeed. */
function isContentRefused(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof Error && "code" in error && error.code === "MESSAGE_TOO_LARGE");
}
