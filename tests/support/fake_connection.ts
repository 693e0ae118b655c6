import type {
  Connection,
  ConnectionEnd,
  EndListener,
  Exchange,
} from "../../lib/core/connection.ts";
import type { Refusal } from "../../lib/protocol/mod.ts";
import { FakeLog } from "./fake_log.ts";

/** A connection without a network. It records what is sent, and how it ended. */
export class FakeConnection implements Connection {
  /** Its id. */
  readonly id: string;
  /** Records its lines. */
  readonly log: FakeLog = new FakeLog();
  /** Its phase; {@linkcode accept} opens it. */
  phase: Connection["phase"];
  /** Time of the last client message: never. */
  lastReceivedAt = 0;
  /** Nothing is ever queued. */
  readonly bufferedAmount: number = 0;
  /** The messages that were sent while it was not ended. */
  readonly sent: (string | Uint8Array)[] = [];
  /** How it ended, once it has. */
  ended: ConnectionEnd | undefined;
  /** The first refusal. */
  refusal: Refusal | undefined;
  readonly #listeners = new Set<EndListener>();

  /** Creates a connection that waits for a decision. */
  constructor(id = "c1", phase: Connection["phase"] = "deciding") {
    this.id = id;
    this.phase = phase;
  }

  /** Creates an open connection. */
  static open(id?: string): FakeConnection {
    return new FakeConnection(id, "open");
  }

  /** The number of listeners for the end. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Opens it. */
  accept(): void {
    if (this.phase === "deciding") this.phase = "open";
  }

  /** Opens it, for a response that goes nowhere. */
  acceptRequest(): Exchange {
    this.accept();
    return { respond() {}, drained: () => Promise.resolve() };
  }

  /** Records the first refusal. */
  refuse(refusal: Refusal): void {
    if (this.phase === "deciding") this.refusal ??= refusal;
  }

  /** Ends it, once. */
  end(code: number, reason = "", byServer = true): void {
    if (this.phase === "ended") return;
    this.phase = "ended";
    this.ended = { code, reason, byServer };
    for (const listener of [...this.#listeners]) notify(listener, this.ended);
  }

  /** Adds a listener for the end; called at once if it has ended. */
  onEnd(listener: EndListener): void {
    if (this.ended) notify(listener, this.ended);
    else this.#listeners.add(listener);
  }

  /** Removes a listener. */
  offEnd(listener: EndListener): void {
    this.#listeners.delete(listener);
  }

  /** Ignores a posted message. */
  message(): void {}

  /** Records a message. Returns false if it has ended. */
  send(data: string | Uint8Array): boolean {
    return this.phase !== "ended" && this.sent.push(data) > 0;
  }

  /** Records a frame as a message. */
  sendFrame(frame: string): boolean {
    return this.send(frame);
  }

  /** Has no limit. */
  takeMessage(): boolean {
    return true;
  }

  /** Has no limit. */
  takePing(): boolean {
    return true;
  }

  /** Does nothing. */
  scopeChanged(): void {}

  /** Accepts every layer message. */
  deliver(): boolean {
    return true;
  }

  /** Does nothing. */
  gap(): void {}

  /** Never calls back. */
  after(): () => void {
    return () => {};
  }
}

function notify(listener: EndListener, end: ConnectionEnd): void {
  if (typeof listener === "function") listener(end);
  else listener.ended(end);
}
