import { test } from "node:test";
import assert from "node:assert/strict";
import process from "node:process";
import { provideGenerator, runLoad } from "../../bench/harness/servers/generator.ts";
import { findProgram } from "../../tools/provide/programs.ts";

const skip = whyNoLoad() ?? false;

function whyNoLoad(): string | undefined {
  if (process.platform !== "linux") return "the load generator needs Linux";
  return findProgram("cc", "gcc", "clang") ? undefined : "there is no C compiler";
}

const silent = () => {};

/** Serves until disposed. */
function serve(handler: (request: Request) => Response) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  const { port } = server.addr;
  return { port, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Publishes each message to all sockets, `copies` times, as lines of one WebSocket message. */
function serveGroup(copies: number) {
  const all = new Set<WebSocket>();
  return serve((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => all.add(socket);
    socket.onclose = () => all.delete(socket);
    socket.onmessage = ({ data }) => {
      for (const other of all) other.send(Array(copies).fill(data).join("\n"));
    };
    return response;
  });
}

test(
  "the load counts each delivery of a fan-out, and ends after the last one",
  { skip },
  async () => {
    await using server = serveGroup(1);
    const options = { port: server.port, connections: 5, messages: 40 };
    const { count, ended } = await runLoad(
      await provideGenerator(silent),
      "fan_out",
      options,
    );
    assert.deepEqual({ count, ended }, { count: 5 * 40, ended: 0 });
  },
);

test(
  "the load counts lines in a message if the subprotocol uses them",
  { skip },
  async () => {
    await using server = serveGroup(3);
    const generator = await provideGenerator(silent);
    const options = { port: server.port, connections: 1, messages: 1 };
    const lines = { ...options, protocol: "sluice.v1" };
    assert.equal((await runLoad(generator, "fan_out", options)).count, 1);
    assert.equal((await runLoad(generator, "fan_out", lines)).count, 3);
  },
);

test("the open-loop load loses no messages on a working server", { skip }, async () => {
  await using server = serveGroup(1);
  const generator = await provideGenerator(silent);
  const options = { port: server.port, connections: 2, rate: 500, warmup: 0.05, seconds: 0.2 };
  const { count, lost, p50 } = await runLoad(generator, "fan_out", options);
  assert.deepEqual({ lost, odd: count % 2 }, { lost: 0, odd: 0 }); // It counts at both readers.
  assert.ok(count >= 2 * 100, `${count} came`);
  assert.ok(p50 > 0);
});

test("the load uses its cookies in turn, and requires the given status", {
  skip,
}, async () => {
  const seen = new Set<string | null>();
  await using server = serve((request) => {
    seen.add(request.headers.get("cookie"));
    return new Response(null, { status: 401 });
  });
  const cookies = await Deno.makeTempFile();
  await Deno.writeTextFile(cookies, "session=a\nsession=b\n");
  const generator = await provideGenerator(silent);
  const options = { port: server.port, cookies, in_flight: 2, warmup: 0.05, seconds: 0.1 };
  const { count } = await runLoad(generator, "upgrade", { ...options, expect: 401 });
  assert.ok(count > 0);
  assert.deepEqual([...seen].sort(), ["session=a", "session=b"]);
  await assert.rejects(runLoad(generator, "upgrade", options), /The load ended with an error/);
  await Deno.remove(cookies);
});
