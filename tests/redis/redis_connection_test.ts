import { test } from "node:test";
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server } from "node:net";
import { once } from "node:events";
import { inspect } from "node:util";
import { systemClock } from "../../lib/core/clock.ts";
import { RedisConnection } from "../../lib/redis/redis_connection.ts";

const LIMIT = { timeout: 10_000 };
const push = (kind: string, name: string) => `>3\r\n+${kind}\r\n+${name}\r\n:0\r\n`;

/** Starts a server that replies to each command as `reply` says. */
async function serve(reply: (command: readonly string[]) => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("data", (bytes) => {
      // Every command of these tests is short, so it arrives whole.
      const commands = String(bytes).split(/(?=\*\d+\r\n)/);
      socket.write(commands.map((command) => reply(command.split("\r\n").slice(2, -1))).join(""));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Connects to a server. Notes the names of subscriptions that it ends, and whether it is lost. */
function connect(
  server: Server,
  events: string[],
  password?: string,
  onLost: () => void = () => void events.push("lost"),
): Promise<RedisConnection> {
  const { port } = server.address() as AddressInfo;
  return RedisConnection.open({
    address: { host: "127.0.0.1", port },
    access: { tls: false, username: undefined, password, database: 0 },
    ca: undefined,
    clock: systemClock,
    timeoutMs: 10_000,
    maxPendingBytes: 1_000,
    scripts: [],
    onLost,
    onMoved: (name) => void events.push(`moved ${name}`),
  });
}

/** Replies as Redis does, except to `SUNSUBSCRIBE`. */
function redis(unsubscribed: string): (command: readonly string[]) => string {
  return ([name, , argument = ""]) => {
    if (name === "hello" || name === "HELLO") return "%2\r\n+proto\r\n:3\r\n+mode\r\n+cluster\r\n";
    if (name === "TIME") return "*2\r\n+1\r\n+1\r\n";
    if (name === "SSUBSCRIBE") return push("ssubscribe", argument);
    return name === "SUNSUBSCRIBE" ? unsubscribed : `+${argument}\r\n`;
  };
}

const MOVED = "-MOVED 1 127.0.0.1:1\r\n";

const CASES: readonly [title: string, unsubscribed: string, events: readonly string[]][] = [
  ["is confirmed", push("sunsubscribe", "a"), []],
  ["is refused because the slot has moved", MOVED, []],
  [
    "is confirmed after another subscription was ended",
    push("sunsubscribe", "b") + push("sunsubscribe", "a"),
    ["moved b"],
  ],
];

for (const [title, unsubscribed, expected] of CASES) {
  test(`RedisConnection keeps its replies in order if an unsubscribe ${title}`, LIMIT, async () => {
    const server = await serve(redis(unsubscribed));
    const events: string[] = [];
    const connection = await connect(server, events);
    await Promise.all(["a", "b"].map((name) => connection.subscribe(name, () => {})));
    connection.unsubscribe("a");
    const replies = await Promise.all(["1", "2"].map((text) => connection.command("ECHO", text)));
    assert.deepEqual(replies, ["1", "2"]);
    assert.deepEqual(events, expected);
    connection.close();
    server.close();
  });
}

test("RedisConnection ends before an extra reply reaches another command", LIMIT, async () => {
  // https://github.com/valkey-io/valkey/issues/1066
  const server = await serve(redis(push("sunsubscribe", "a") + MOVED));
  const events: string[] = [];
  const connection = await connect(server, events);
  await connection.subscribe("a", () => {});
  connection.unsubscribe("a");
  const commands = ["1", "2"].map((text) => connection.command("ECHO", text));
  for (const command of commands) await assert.rejects(command, { code: "UNAVAILABLE" });
  assert.deepEqual(events, ["lost"]);
  server.close();
});

test("RedisConnection ends if a listener throws", LIMIT, async () => {
  const message = push("smessage", "a").replace(":0", "+text");
  const server = await serve((command) => {
    return redis("")(command) + (command[0] === "SSUBSCRIBE" ? message : "");
  });
  const lost = Promise.withResolvers<void>();
  const events: string[] = [];
  const connection = await connect(server, events, undefined, lost.resolve);
  await connection.subscribe("a", () => {
    throw new Error("A bug in a listener");
  }).catch(() => {});
  await lost.promise;
  assert.equal(connection.isOver, true);
  server.close();
});

test("RedisConnection names no secrets in its errors", LIMIT, async () => {
  const refusals = [
    "-ERR unknown command 'hello', with args beginning with: '3' 'AUTH' 'hunter2'\r\n",
    "-WRONGPASS not hunter2\r\n",
    "%1\r\n+proto\r\n:2\r\n",
  ];
  for (const refusal of refusals) {
    const server = await serve(() => refusal);
    await assert.rejects(connect(server, [], "hunter2"), (error: Error & { code?: string }) => {
      assert.equal(error.code, "UNAVAILABLE");
      assert.ok(!inspect(error, { depth: 10 }).includes("hunter2"));
      return true;
    });
    server.close();
  }
});

test("RedisConnection names no arguments of a refused command in its error", LIMIT, async () => {
  const server = await serve((command) =>
    command[0] === "GET" ? "-ERR no\r\n" : redis("")(command)
  );
  const connection = await connect(server, []);
  await assert.rejects(connection.command("GET", "hunter2"), (error) => {
    assert.ok(!inspect(error, { depth: 10 }).includes("hunter2"));
    return true;
  });
  connection.close();
  server.close();
});
