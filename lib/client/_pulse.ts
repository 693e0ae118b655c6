import type { ClientEnvironment } from "./environment.ts";

/** Shortest silence after which the server is asked for a sign of life, in milliseconds. */
const SILENCE_MS = 25_000;

/** Spreads the questions of many clients over so many more milliseconds. */
const SPREAD_MS = 5_000;

/** How long the server may take to answer after a silence, in milliseconds. */
const PATIENCE_MS = 10_000;

/** How long it may take if there is a reason to doubt the connection, in milliseconds. */
const DOUBT_MS = 4_000;

/** Lets an answer through that arrived while the page was busy, in milliseconds. */
const GRACE_MS = 100;

/**
 * Detects that a live connection has gone silent: within 45 s by itself, within 5 s after a doubt.
 *
 * Sends nothing while messages of the server arrive, and one ping after 25 to 30 s without any. The
 * connection is lost if that ping has no reply in time; other messages do not stand for the reply,
 * because they show one direction only.
 */
export class Pulse {
  readonly #environment: ClientEnvironment;
  readonly #ping: (answered: () => void) => void;
  readonly #lost: () => void;
  #heardAt = 0;
  /** When the reply to the ping is due; `Infinity` if no ping is out. */
  #dueAt = Infinity;
  #isOver = false;
  #stopTimer = () => {};

  /** @param ping Sends a ping, and calls back when its reply arrives. */
  constructor(
    environment: ClientEnvironment,
    ping: (answered: () => void) => void,
    lost: () => void,
  ) {
    this.#environment = environment;
    this.#ping = ping;
    this.#lost = lost;
    this.heard();
    this.#rest();
  }

  /** Notes a message of the server. */
  heard(): void {
    this.#heardAt = this.#environment.now();
  }

  /** Asks for a sign of life now. One ping is out at a time; a doubt shortens the wait for its reply. */
  check(patienceMs = DOUBT_MS): void {
    const dueAt = this.#environment.now() + patienceMs;
    if (this.#isOver || dueAt >= this.#dueAt) return;
    const isOut = this.#dueAt < Infinity;
    this.#dueAt = dueAt;
    this.#after(patienceMs, () => this.#after(GRACE_MS, this.#lost));
    if (!isOut) this.#ping(() => this.#rest());
  }

  stop(): void {
    this.#isOver = true;
    this.#stopTimer();
  }

  /** Waits for the next silence. The timer is not moved by each message. */
  #rest(): void {
    if (this.#isOver) return;
    this.#dueAt = Infinity;
    const silenceMs = SILENCE_MS + this.#environment.random() * SPREAD_MS;
    const look = () => {
      const leftMs = this.#heardAt + silenceMs - this.#environment.now();
      if (leftMs > 0) this.#after(leftMs, look);
      else this.check(PATIENCE_MS);
    };
    look();
  }

  #after(ms: number, callback: () => void): void {
    this.#stopTimer();
    this.#stopTimer = this.#environment.after(ms, callback);
  }
}
