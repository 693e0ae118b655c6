import { type Capacity, type Limit, type Load, sum } from "./model.ts";

/** A load and its cost. */
export type Column = readonly [load: Load, capacity: Capacity];

/** Formats loads as a Markdown table, one column each. */
export function toTable(columns: readonly Column[]): string {
  const row = (name: string, cell: (capacity: Capacity, load: Load) => string) => {
    return [name, ...columns.map(([load, capacity]) => cell(capacity, load))];
  };
  const rows = [
    row("", (_, { sockets }) => `${count(sockets)} sockets`),
    row("messages per socket", (_, { messagesPerSocket }) => {
      return `one in ${count(1 / messagesPerSocket)} s`;
    }),
    row("hosts × processes", (_, { hosts, processesPerHost }) => `${hosts} × ${processesPerHost}`),
    row("sockets per process", ({ socketsPerProcess }) => count(socketsPerProcess)),
    row(
      "memory per process",
      ({ memoryPerProcessBytes }) => `${count(memoryPerProcessBytes / 1e6)} MB`,
    ),
    row("cores in use", ({ cores }) => cores.toFixed(1)),
    row("database connections, at most", ({ connections }) => count(connections)),
    row(
      "Redis messages in, out",
      ({ redisIn, redisOut }) => `${count(redisIn)}, ${count(redisOut)}`,
    ),
    row("database reads", ({ reads }) => count(sum(reads))),
    row("… for upgrades", ({ reads }) => count(reads.upgrades)),
    row("… for the control log", ({ reads }) => {
      return count(reads.polls + reads["sign-outs"] + reads.renewals);
    }),
    row("database commits", ({ commits }) => count(sum(commits))),
    row("… for messages of rooms", ({ commits }) => count(commits.messages)),
    row("… for renewals", ({ commits }) => count(commits.renewals)),
    row("… for sign-ins and sign-outs", ({ commits }) => {
      return count(commits["sign-ins"] + commits["sign-outs"]);
    }),
    row("… for socket counts", ({ commits }) => count(commits.counts)),
    row("entries of the control log", ({ entries, mostEntries }) => {
      return `${entries.toFixed(1)} of ${count(mostEntries)}`;
    }),
    row("… attempts, p99", ({ log }) => `${log.attempts.toFixed(2)}, ${count(log.p99Ms)} ms`),
    ...LIMITS.map((limit) => row(`used: ${limit}`, ({ used }) => percent(used[limit]))),
  ];
  const [head, ...body] = rows.map((cells) => `| ${cells.join(" | ")} |`);
  const rule = `| ${["---", ...columns.map(() => "---:")].join(" | ")} |`;
  return [head, rule, ...body].join("\n");
}

const LIMITS: readonly Limit[] = [
  "cores",
  "Redis",
  "database reads",
  "database commits",
  "control log",
];

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** Formats a number with one digit after the point below 10, and none above. */
function count(value: number): string {
  if (value < 10) return String(Number(value.toFixed(1)));
  return Math.round(value).toLocaleString("en");
}
