/** A control log that several processes write to. */
export interface ControlLogLoad {
  /** How many processes write. */
  readonly processes: number;
  /** Entries per second of all processes, at random times. */
  readonly entriesPerSecond: number;
  /** The time of one read, and of one commit, in milliseconds. */
  readonly readMs: number;
  readonly commitMs: number;
  /** Reads of the change itself, between the head and the commit. @default {1} */
  readonly planReads?: number;
  /** How long the simulation runs, in simulated seconds. @default {20} */
  readonly seconds?: number;
  /** The seed of the random times. @default {1} */
  readonly seed?: number;
}

/** How a control log copes. */
export interface ControlLogResult {
  /** Attempts per entry, because others commit in between. */
  readonly attempts: number;
  /** From the change to its commit, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Whether the entries were written as fast as they came. */
  readonly keepsUp: boolean;
}

/** As in `KvControlLog`: the longest pause after a conflict, in milliseconds. */
const MAX_PAUSE_MS = 64;

/** Entries that wait in one process without being counted as too many. */
const MAX_QUEUE = 50;

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/**
 * Simulates the optimistic commits of `KvControlLog`: each process writes one entry at a time. It reads
 * the head, reads the session, and commits; if another process has committed since, it pauses and
 * tries again. The same seed gives the same result.
 */
export function simulateControlLog(load: ControlLogLoad): ControlLogResult {
  const { processes, entriesPerSecond, readMs, commitMs, planReads = 1 } = load;
  const { seconds = 20, seed = 1 } = load;
  const random = randomNumbers(seed);
  const endMs = seconds * 1_000;
  /** In the order of their times. */
  const events: Event[] = [];
  const queues = Array.from({ length: processes }, (): number[] => []);
  const latencies: number[] = [];
  let [now, version, attempts, longest] = [0, 0, 0, 0];

  const after = (ms: number, run: () => void) => {
    const at = now + ms;
    events.splice(events.findLastIndex((event) => event.at <= at) + 1, 0, { at, run });
  };
  const attempt = (queue: number[], tries: number) => {
    attempts++;
    after(readMs, () => {
      const seen = version;
      // The reads of the change, and the way of the commit to the server.
      after(planReads * readMs + commitMs / 2, () => {
        const isCommitted = version === seen;
        if (isCommitted) version++;
        after(commitMs / 2, () => isCommitted ? done(queue) : retry(queue, tries));
      });
    });
  };
  const retry = (queue: number[], tries: number) => {
    after(random() * Math.min(MAX_PAUSE_MS, 2 ** (tries + 1)), () => attempt(queue, tries + 1));
  };
  const done = (queue: number[]) => {
    latencies.push(now - queue.shift()!);
    if (queue.length > 0) attempt(queue, 0);
  };
  const arrive = () => {
    const queue = queues[Math.floor(random() * processes)]!;
    queue.push(now);
    longest = Math.max(longest, queue.length);
    if (queue.length === 1) attempt(queue, 0);
    after(-Math.log(1 - random()) * 1_000 / entriesPerSecond, arrive);
  };
  after(0, arrive);
  for (let event = events.shift()!; event.at < endMs; event = events.shift()!) {
    now = event.at;
    event.run();
  }
  latencies.sort((a, b) => a - b);
  return {
    attempts: attempts / Math.max(1, latencies.length),
    p50Ms: latencies[latencies.length >> 1] ?? Infinity,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Infinity,
    keepsUp: longest <= MAX_QUEUE,
  };
}

/** Returns the most entries per second that are committed within a second, 99 of 100. */
export function mostEntries(load: Omit<ControlLogLoad, "entriesPerSecond">): number {
  const copes = (entriesPerSecond: number) => {
    const { keepsUp, p99Ms } = simulateControlLog({ seconds: 10, ...load, entriesPerSecond });
    return keepsUp && p99Ms <= 1_000;
  };
  let [low, high] = [0, 5_000];
  while (high - low > 10) {
    const middle = (low + high) / 2;
    if (copes(middle)) low = middle;
    else high = middle;
  }
  return Math.floor(low / 10) * 10;
}

/** Returns a function that gives random numbers from 0 to 1 (Mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
