import { type ControlLogResult, mostEntries, simulateControlLog } from "./control_log.ts";
import type { DatabaseCost, OperationName } from "./operations.ts";

/** What is to be served. */
export interface Load {
  /** Open sockets, each of a different session. */
  readonly sockets: number;
  readonly hosts: number;
  readonly processesPerHost: number;
  /** Messages per second that each socket sends. */
  readonly messagesPerSocket: number;
  /** Members of the group that a message reaches. */
  readonly groupSize: number;
  /** How often a socket is opened anew, in seconds: a page is loaded, a network changes. */
  readonly socketSeconds: number;
  /** How often a user signs in and out, in seconds. */
  readonly signInSeconds: number;
}

/** Unit costs and limits, from the benchmarks. */
export interface UnitCosts {
  /** Memory of a process without sockets, and of an idle socket, in bytes. */
  readonly processBytes: number;
  readonly socketBytes: number;
  /** CPU of a delivery, of a message from a client, and of an upgrade, in microseconds. */
  readonly deliveryUs: number;
  readonly messageUs: number;
  readonly upgradeUs: number;
  /** Reads and commits per second that PostgreSQL serves. */
  readonly databaseReads: number;
  readonly databaseCommits: number;
  /** The time of one read and of one commit of PostgreSQL, in milliseconds. */
  readonly readMs: number;
  readonly commitMs: number;
  /** Messages per second that Redis handles, in and out together. */
  readonly redisMessages: number;
}

/** What a load costs, per second if not said otherwise. */
export interface Capacity {
  readonly processes: number;
  readonly socketsPerProcess: number;
  readonly memoryPerProcessBytes: number;
  /** Cores in use, of all processes together. */
  readonly cores: number;
  /** Connections of PostgreSQL, at most. */
  readonly connections: number;
  readonly redisIn: number;
  readonly redisOut: number;
  /** Reads and commits of the database, by what causes them. */
  readonly reads: Readonly<Record<Cause, number>>;
  readonly commits: Readonly<Record<Cause, number>>;
  readonly entries: number;
  readonly log: ControlLogResult;
  /** The most entries of the control log that this number of processes can write. */
  readonly mostEntries: number;
  /** The share of each limit that is used: 1 is all of it. */
  readonly used: Readonly<Record<Limit, number>>;
}

/** What causes reads and commits. */
export type Cause =
  | "upgrades"
  | "sign-ins"
  | "sign-outs"
  | "renewals"
  | "messages"
  | "polls"
  | "counts";

/** What can be exhausted. */
export type Limit = "cores" | "Redis" | "database reads" | "database commits" | "control log";

/** How often a process polls the control log. */
const POLLS_PER_SECOND = 5;

/** The shortest time between two renewals of a session, in seconds. */
const RENEWAL_SECONDS = 3_600;

/** Connections of `PostgresKeyValue`: its default limit, and one that hears notifications. */
const CONNECTIONS_PER_PROCESS = 10 + 1;

/** A process writes its socket counts every half a second, up to 100 in a commit, and a heartbeat. */
const COUNT_ROUNDS_PER_SECOND = 2;
const COUNTS_PER_COMMIT = 100;
const HEARTBEATS_PER_SECOND = 0.2;

type Operations = Readonly<Record<OperationName, DatabaseCost>>;

/** Computes what a load costs. */
export function capacityOf(load: Load, costs: UnitCosts, operations: Operations): Capacity {
  const { sockets, hosts, processesPerHost, messagesPerSocket, groupSize } = load;
  const processes = hosts * processesPerHost;
  const messages = sockets * messagesPerSocket;
  const upgrades = sockets / load.socketSeconds;
  const signIns = sockets / load.signInSeconds;
  const signOuts = signIns;
  const renewals = sockets / RENEWAL_SECONDS;
  const entries = renewals + signOuts;
  // A process with several members of a group gets a message once.
  const reached = processes * (1 - (1 - 1 / processes) ** groupSize);
  const counted = 2 * upgrades; // Opened and closed.
  const countCommits = Math.max(
    counted / COUNTS_PER_COMMIT,
    Math.min(counted, COUNT_ROUNDS_PER_SECOND * processes),
  ) + HEARTBEATS_PER_SECOND * processes;
  const { readMs, commitMs } = costs;
  const logLoad = { processes, readMs, commitMs };
  const log = simulateControlLog({ ...logLoad, entriesPerSecond: entries });
  const cost = (kind: keyof DatabaseCost): Record<Cause, number> => ({
    upgrades: upgrades * operations.upgrade[kind],
    "sign-ins": signIns * operations["sign-in"][kind],
    "sign-outs": signOuts *
      (operations["sign-out"][kind] * log.attempts + processes * operations.hint[kind]),
    renewals: renewals * operations.renewal[kind] * log.attempts,
    messages: messages * operations.message[kind],
    polls: processes * POLLS_PER_SECOND * operations.poll[kind],
    counts: kind === "commits" ? countCommits : 0,
  });
  const [reads, commits] = [cost("reads"), cost("commits")];
  const most = mostEntries(logLoad);
  const cores = (messages * (costs.messageUs + groupSize * costs.deliveryUs) +
    upgrades * costs.upgradeUs) / 1e6;
  const [redisIn, redisOut] = [messages + signOuts, messages * reached + signOuts * processes];
  return {
    processes,
    socketsPerProcess: sockets / processes,
    memoryPerProcessBytes: costs.processBytes + costs.socketBytes * sockets / processes,
    cores,
    connections: processes * CONNECTIONS_PER_PROCESS,
    redisIn,
    redisOut,
    reads,
    commits,
    entries,
    log,
    mostEntries: most,
    used: {
      cores: cores / processes,
      Redis: (redisIn + redisOut) / costs.redisMessages,
      "database reads": sum(reads) / costs.databaseReads,
      "database commits": sum(commits) / costs.databaseCommits,
      "control log": entries / most,
    },
  };
}

/** Adds up the values of a record. */
export function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}
