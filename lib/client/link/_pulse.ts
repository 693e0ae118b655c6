import type { ClientEnvironment } from "../environment.ts";

/** Shortest silence before the server is pinged, in milliseconds. */
const SILENCE_MS = 25_000;

/** Random addition to that, which spreads the pings of many clients, in milliseconds. */
const SPREAD_MS = 5_000;

/** Time limit for the reply to a ping after a silence, in milliseconds. */
const REPLY_MS = 10_000;

/** Time limit for the reply if the connection is in doubt, in milliseconds. */
const CHECK_MS = 4_000;

/** Extra time for a reply that arrived while the page was busy, in milliseconds. */
const GRACE_MS = 100;

/**
 * Heartbeat: detects that a live connection has gone silent, within 45 s by itself and within 5 s
 * after a check.
 *
 * Sends nothing while server messages arrive, and one ping after 25 to 30 s without any. The
 * connection is lost if that ping has no reply in time. Other messages do not count as the reply,
 * because they prove one direction only.
 */
export class Pulse {
  readonly #environment: ClientEnvironment;
  readonly #ping: (answered: () => void) => void;
  readonly #lost: () => void;
  #heardAt = 0;
  /** When the reply to the ping is due; `Infinity` without a pending ping. */
  #dueAt = Infinity;
  #isStopped = false;
  #stopTimer = () => {};

  /** @param ping Sends a ping and calls back when its reply arrives. */
  constructor(
    environment: ClientEnvironment,
    ping: (answered: () => void) => void,
    lost: () => void,
  ) {
    this.#environment = environment;
    this.#ping = ping;
    this.#lost = lost;
    this.heard();
    this.#awaitSilence();
  }

  /** Records a server message. */
  heard(): void {
    this.#heardAt = this.#environment.now();
  }

  /** Pings now. One ping is pending at a time; a check shortens the wait for its reply. */
  check(replyMs = CHECK_MS): void {
    const dueAt = this.#environment.now() + replyMs;
    if (this.#isStopped || dueAt >= this.#dueAt) return;
    const isPending = this.#dueAt < Infinity;
    this.#dueAt = dueAt;
    this.#after(replyMs, () => this.#after(GRACE_MS, this.#lost));
    if (!isPending) this.#ping(() => this.#awaitSilence());
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  /** Waits for the next silence. One timer is kept instead of a new one for each message. */
  #awaitSilence(): void {
    if (this.#isStopped) return;
    this.#dueAt = Infinity;
    const silenceMs = SILENCE_MS + this.#environment.random() * SPREAD_MS;
    const checkSilence = () => {
      const leftMs = this.#heardAt + silenceMs - this.#environment.now();
      if (leftMs > 0) this.#after(leftMs, checkSilence);
      else this.check(REPLY_MS);
    };
    checkSilence();
  }

  #after(ms: number, callback: () => void): void {
    this.#stopTimer();
    this.#stopTimer = this.#environment.after(ms, callback);
  }
}
