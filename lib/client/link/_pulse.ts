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

/** The heartbeat of a live connection. */
export interface Pulse {
  /** Records a server message. */
  heard(): void;
  /** Pings now. One ping is pending at a time; a check shortens the wait for its reply. */
  check(replyMs?: number): void;
  stop(): void;
}

/**
 * Starts a heartbeat: detects that a live connection has gone silent, within 45 s by itself and within
 * 5 s after a check.
 *
 * The first message must arrive within 10 s. Sends nothing while server messages arrive, and one ping
 * after 25 to 30 s without any. The connection is lost if that ping has no reply in time. Other
 * messages do not count as the reply, because they prove one direction only.
 *
 * @param ping Sends a ping and calls back when its reply arrives.
 */
export function startPulse(
  { now, random, after }: ClientEnvironment,
  ping: (answered: () => void) => void,
  lost: () => void,
): Pulse {
  let heardAt: number | undefined;
  /** When the reply to the ping is due; `Infinity` without a pending ping. */
  let dueAt = Infinity;
  let isStopped = false;
  let stopTimer = () => {};

  function wait(ms: number, callback: () => void): void {
    stopTimer();
    stopTimer = after(ms, callback);
  }

  function check(replyMs = CHECK_MS): void {
    const isPending = dueAt < Infinity;
    if (isStopped || now() + replyMs >= dueAt) return;
    expectReply(replyMs);
    if (!isPending) ping(awaitSilence);
  }

  function expectReply(replyMs: number): void {
    dueAt = now() + replyMs;
    wait(replyMs, () => wait(GRACE_MS, lost));
  }

  /** Waits for the next silence. One timer is kept instead of a new one for each message. */
  function awaitSilence(): void {
    if (isStopped) return;
    dueAt = Infinity;
    const silenceMs = SILENCE_MS + random() * SPREAD_MS;
    const checkSilence = () => {
      const leftMs = heardAt! + silenceMs - now();
      if (leftMs > 0) wait(leftMs, checkSilence);
      else check(REPLY_MS);
    };
    checkSilence();
  }

  expectReply(REPLY_MS); // To the question for the user.
  return {
    heard() {
      const isFirst = heardAt === undefined;
      heardAt = now();
      if (isFirst) awaitSilence();
    },
    check,
    stop() {
      isStopped = true;
      stopTimer();
    },
  };
}
