import assert from "node:assert/strict";
import { onEveryRuntime } from "../support/runtimes/on_every_runtime.ts";

onEveryRuntime([
  {
    title:
      "SIGTERM drains: sockets close with 1012, new requests get 503, the process exits with 0",
    isLast: true,
    async run(server) {
      const visitor = await server.signIn("ada");
      const clients = [
        await server.open("/ws/echo", visitor),
        await server.open("/ws/chat/lobby", visitor),
        await server.open("/ws/chat/lobby", visitor),
      ];
      server.kill("SIGTERM");
      const [first] = await Promise.all([
        Promise.race(clients.map((client) => client.closed)),
        ...clients.map((client) => client.closed),
      ]);
      assert.equal(first.code, 1012);
      assert.match(first.reason, /^retry=\d+$/);
      for (const client of clients) assert.equal((await client.closed).code, 1012);
      assert.equal(await server.ended(), 0);
    },
  },
  {
    title: "a request during the drain is refused with DRAINING and Retry-After",
    isLast: true,
    async run(server) {
      const visitor = await server.signIn("ada");
      const client = await server.open("/ws/echo", visitor);
      const idle = await server.open("/ws/echo", visitor);
      server.kill("SIGTERM");
      const refused = await Promise.race([client.closed, idle.closed]).then(() =>
        server.open("/ws/echo", visitor).catch((error) => error)
      );
      assert.deepEqual([refused.status, refused.code], [503, "DRAINING"]);
      assert.ok(Number(refused.headers["retry-after"]) >= 1);
      assert.equal(await server.ended(), 0);
    },
  },
  {
    title: "SIGTERM ends a process whose peers do not answer, within seconds",
    isLast: true,
    async run(server) {
      const client = await server.open("/ws/echo", await server.signIn("ada"));
      client.socket.pause();
      server.kill("SIGTERM");
      assert.equal(await server.ended(), 0);
    },
  },
  {
    title: "a second SIGTERM exits at once with 130",
    isLast: true,
    async run(server) {
      const visitor = await server.signIn("ada");
      // The drain ends them one by one, so that it is not over before the second signal.
      for (let n = 0; n < 5; n++) (await server.open("/ws/echo", visitor)).socket.pause();
      server.kill("SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 50));
      server.kill("SIGTERM");
      assert.equal(await server.ended(), 130);
    },
  },
]);
