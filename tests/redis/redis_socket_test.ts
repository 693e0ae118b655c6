import { test } from "node:test";
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server } from "node:net";
import { once } from "node:events";
import { RedisSocket } from "../../lib/redis/redis_socket.ts";

const ACCESS = { tls: false, username: undefined, password: undefined, database: 0 };
const push = (kind: string, name: string) => `>3\r\n+${kind}\r\n+${name}\r\n:0\r\n`;

/** Starts a server that replies to each command as `reply` says. */
async function serve(reply: (command: readonly string[]) => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("data", (bytes) => {
      // Every command of these tests is short, so it arrives whole.
      const commands = String(bytes).split(/(?=\*\d+\r\n)/);
      for (const command of commands) socket.write(reply(command.split("\r\n").slice(2, -1)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Connects to a server. `moved` gets the names of subscriptions that the server has ended. */
async function connect(server: Server, moved: string[]): Promise<RedisSocket> {
  const { port } = server.address() as AddressInfo;
  const socket = RedisSocket.open(
    { address: { host: "127.0.0.1", port }, access: ACCESS, ca: undefined },
    { moved: (name) => void moved.push(name), over() {} },
  );
  await socket.hello(ACCESS);
  return socket;
}

const CASES: readonly [title: string, unsubscribed: string, moved: readonly string[]][] = [
  ["is confirmed", push("sunsubscribe", "a"), []],
  ["is refused because the slot has moved", "-MOVED 1 127.0.0.1:1\r\n", []],
  // https://github.com/valkey-io/valkey/issues/1066
  [
    "is refused after the slot moved and ended the subscription",
    `${push("sunsubscribe", "a")}-MOVED 1 127.0.0.1:1\r\n`,
    [],
  ],
  [
    "is confirmed after another subscription was ended",
    push("sunsubscribe", "b") + push("sunsubscribe", "a"),
    ["b"],
  ],
];

for (const [title, unsubscribed, expected] of CASES) {
  test(
    `RedisSocket matches replies to commands when an unsubscribe ${title}`,
    { timeout: 10_000 },
    async () => {
      const server = await serve(([name, , argument = ""]) => {
        if (name === "HELLO") return "+OK\r\n";
        if (name === "PING") return "+PONG\r\n";
        if (name === "SSUBSCRIBE") return push("ssubscribe", argument);
        return name === "SUNSUBSCRIBE" ? unsubscribed : `+${argument}\r\n`;
      });
      const moved: string[] = [];
      const socket = await connect(server, moved);
      await Promise.all(["a", "b"].map((name) => socket.subscribe(name, () => {})));
      const [, ...replies] = await Promise.all([
        socket.unsubscribe("a"),
        socket.command(["ECHO", "1"]),
        socket.command(["ECHO", "2"]),
      ]);
      assert.deepEqual(replies, ["1", "2"]);
      assert.deepEqual(moved, expected);
      socket.destroy();
      server.close();
    },
  );
}
