import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Refusal } from "@sluice/sluice";
import { AcceptConnection, Consumer } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { route, router } from "@sluice/sluice/routing";
import { communicate, FakeClock, settle, startServer } from "@sluice/sluice/testing";
import { Accepting, Chatting, Echo, withTestLayer } from "../support/conformance/consumers.ts";
import { silent } from "../support/silent_log.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

conforms(
  [
    "channels/test_generic_websocket.py::test_websocket_consumer",
    "channels/test_generic_websocket.py::test_async_websocket_consumer",
  ],
  "connect(), receive() with text and with bytes, and disconnect() run in turn",
  async () => {
    const trace: unknown[] = [];
    class Traced extends Echo {
      override async connect() {
        trace.push("connect");
        await this.accept();
      }
      override receive(data: string | Uint8Array) {
        trace.push(data);
        super.receive(data);
      }
      override disconnect(code: number) {
        trace.push(code);
      }
    }
    const peer = communicate(Traced);
    assert.equal((await peer.connect()).accepted, true);
    peer.send("hello");
    assert.equal(await peer.receive(), "hello");
    const bytes = new Uint8Array([119, 0, 0, 0]);
    peer.send(bytes);
    assert.deepEqual(await peer.receive(), bytes);
    await peer.disconnect();
    assert.deepEqual(trace, ["connect", "hello", bytes, 1000]);
  },
);

conforms(
  "channels/test_generic_websocket.py::test_multiple_websocket_consumers_with_sessions",
  "two connections of one class have separate scopes",
  async () => {
    class Placed extends Consumer {
      override receive() {
        this.send(this.scope.path);
      }
    }
    const application = router<Scope>([route("/*", Placed)]);
    const first = communicate(application, { path: "/first/" });
    const second = communicate(application, { path: "/second/" });
    await first.connect();
    await second.connect();
    second.send("?");
    first.send("?");
    assert.equal(await second.receive(), "/second/");
    assert.equal(await first.receive(), "/first/");
  },
);

conforms(
  [
    "channels/test_generic_websocket.py::test_websocket_consumer_subprotocol",
    "channels/test_generic_websocket.py::test_async_websocket_consumer_subprotocol",
    "daphne/test_websocket.py::test_subprotocols",
  ],
  "connect() sees the offered subprotocols in order, and selects one",
  async () => {
    let offered: readonly string[] = [];
    class Selecting extends Consumer {
      override connect() {
        offered = this.scope.subprotocols;
        return this.accept({ subprotocol: "subprotocol2" });
      }
    }
    const peer = communicate(Selecting, { subprotocols: ["subprotocol1", "subprotocol2"] });
    const result = await peer.connect();
    assert.deepEqual(offered, ["subprotocol1", "subprotocol2"]);
    assert.equal(result.accepted && result.subprotocol, "subprotocol2");
  },
);

conforms(
  [
    "channels/test_generic_websocket.py::test_websocket_consumer_groups",
    "channels/test_generic_websocket.py::test_async_websocket_consumer_groups",
  ],
  "a consumer is in its groups while it is open, and in none afterwards",
  async () => {
    const { layer, scope } = withTestLayer();
    const peer = communicate(Chatting, { scope });
    await peer.connect();
    await layer.groupSend("chat", { type: "said", data: "hello" });
    assert.equal(await peer.receive(), "hello");
    await peer.disconnect();
    const { delivered, queued, dropped } = await layer.groupSend("chat", { type: "said" });
    assert.deepEqual([delivered, queued, dropped], [0, 0, 0]);
    assert.equal(layer.stats.groups, 0);
  },
);

conforms(
  "channels/test_generic_websocket.py::test_async_websocket_consumer_specific_channel_layer",
  "layerAlias selects one of several layers",
  async () => {
    class Elsewhere extends Chatting {
      override readonly layerAlias = "testlayer";
    }
    const layers = { default: new MemoryChannelLayer(), testlayer: new MemoryChannelLayer() };
    const peer = communicate(Elsewhere, { scope: { layers } });
    await peer.connect();
    await layers.default.groupSend("chat", { type: "said", data: "not here" });
    await layers.testlayer.groupSend("chat", { type: "said", data: "here" });
    assert.equal(await peer.receive(), "here");
  },
);

conforms(
  "channels/test_layers.py::test_override_settings",
  "an error names a missing layer alias",
  async () => {
    class Elsewhere extends Chatting {
      override readonly layerAlias = "missing";
    }
    const peer = communicate(Elsewhere, { scope: withTestLayer().scope });
    await assert.rejects(peer.connect(), /No channel layer "missing"/);
  },
);

conforms(
  [
    "channels/test_generic_websocket.py::test_block_underscored_type_function_call",
    "channels/test_generic_websocket.py::test_block_leading_dot_type_function_call",
  ],
  "a layer message never calls a method named by its type, and is dropped without a handler",
  async () => {
    const { layer, scope } = withTestLayer();
    let called = 0;
    class Guarded extends Consumer<Scope & LayerScope> {
      override get groups() {
        return ["chat"];
      }
      _my_private_handler() {
        called++;
      }
      my_handler() {
        called++;
      }
      override receive(data: string | Uint8Array) {
        this.send(data);
      }
    }
    for (const type of ["_my_private_handler", ".my_private_handler", "my_handler", "close"]) {
      const peer = communicate(Guarded, { scope });
      await peer.connect();
      await layer.groupSend("chat", { type });
      peer.send("still open");
      assert.equal(await peer.receive(), "still open");
      await peer.disconnect();
    }
    assert.equal(called, 0);
  },
);

conforms(
  "channels/test_generic_websocket.py::test_accept_headers",
  "headers of accept() are headers of the 101, even over a network",
  async () => {
    class Headed extends Consumer {
      override connect() {
        return this.accept({ headers: [["x-foo", "bar"], ["set-cookie", "a=1"]] });
      }
    }
    const result = await communicate(Headed).connect();
    assert.equal(result.accepted && result.headers.get("x-foo"), "bar");
    await using server = startServer(router<Scope>([route("/", Headed)]));
    assert.match(await rawUpgrade(server.url), /101 [^]*x-foo: bar/i);
  },
);

conforms(
  "channels/test_generic_websocket.py::test_close_reason",
  "close() sends its code and reason, and they arrive over a network",
  async () => {
    class Closing extends Consumer {
      override receive() {
        this.close(4007, "test reason");
      }
    }
    const peer = communicate(Closing);
    await peer.connect();
    peer.send("x");
    assert.deepEqual(await peer.closed(), { code: 4007, reason: "test reason" });
    await using server = startServer(router<Scope>([route("/", Closing)]));
    const socket = await server.open("/");
    const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
    socket.send("x");
    const { code, reason } = await closed;
    assert.deepEqual({ code, reason }, { code: 4007, reason: "test reason" });
  },
);

conforms(
  "channels/test_generic_websocket.py::test_websocket_receive_with_none_text",
  "receive() gets text or bytes as sent, including empty ones",
  async () => {
    const peer = communicate(Echo);
    await peer.connect();
    for (const data of ["", "Hello, world!", new Uint8Array(), new Uint8Array(9)]) {
      peer.send(data);
      assert.deepEqual(await peer.receive(), data);
    }
  },
);

conforms(
  "channels/test_testing.py::test_websocket_application",
  "a path parameter is in the scope of the consumer",
  async () => {
    class Greeting extends Consumer {
      override async connect() {
        await this.accept();
        this.send(String(this.scope.params.message));
      }
    }
    const application = router<Scope>([route("/testws/:message/", Greeting)]);
    const peer = communicate(application, { path: "/testws/test/" });
    await peer.connect();
    assert.equal(await peer.receive(), "test");
  },
);

conforms(
  "channels/test_testing.py::test_connection_scope",
  "a scope has its type, its path as sent, and its query",
  async () => {
    const seen: Scope[] = [];
    class Looking extends Accepting {
      override connect() {
        seen.push(this.scope);
        return super.connect();
      }
    }
    const PATHS: [address: string, path: string, query: Record<string, string>][] = [
      ["/p/a/t/h?query=string#hash", "/p/a/t/h", { query: "string" }],
      ["http://example.com:8080/p?q=1", "/p", { q: "1" }],
      ["/%E9%A6%96%E9%A1%B5/index?foo=%E9%A6%96", "/%E9%A6%96%E9%A1%B5/index", { foo: "首" }],
    ];
    for (const [address, path, query] of PATHS) {
      await communicate(Looking, { path: address }).connect();
      const scope = seen.pop()!;
      assert.equal(scope.type, "websocket");
      assert.equal(scope.path, path);
      assert.deepEqual(Object.fromEntries(scope.query), query);
    }
  },
);

conforms(
  ["daphne/test_websocket.py::test_reject", "daphne/test_websocket.py::test_accept"],
  "accept() completes the handshake; without it the response is a 403",
  async () => {
    class Undecided extends Consumer {
      override connect() {}
    }
    await using server = startServer(
      router<Scope>([route("/yes", Accepting), route("/no", Undecided)]),
    );
    const socket = await server.open("/yes");
    socket.close();
    assert.match(await rawUpgrade(`${server.url}/no`), /^HTTP\/1.1 403 /);
  },
);

beyond(
  "AcceptConnection and DenyConnection",
  "connect() may throw AcceptConnection or a Refusal, at any call depth",
  async () => {
    class Throwing extends Consumer {
      override connect(): void {
        if (this.scope.query.has("no")) throw new Refusal("ROOM_FULL", { status: 429 });
        throw new AcceptConnection({ subprotocol: "b", headers: { "x-a": "1" } });
      }
    }
    const yes = await communicate(Throwing, { subprotocols: ["a", "b"] }).connect();
    assert.equal(yes.accepted && yes.subprotocol, "b");
    assert.equal(yes.accepted && yes.headers.get("x-a"), "1");
    const no = await communicate(Throwing, { path: "/?no" }).connect();
    assert.deepEqual(no, { accepted: false, status: 429, code: "ROOM_FULL" });
  },
);

beyond("deny codes", "refuse() sends status, code and detail over a network", async () => {
  class Denying extends Consumer {
    override connect() {
      this.refuse("ROOM_CLOSED", "Come back tomorrow");
    }
  }
  await using server = startServer(router<Scope>([route("/", Denying)]));
  const answer = await rawUpgrade(server.url);
  assert.match(answer, /^HTTP\/1.1 403 /);
  assert.match(answer, /"code":"ROOM_CLOSED","detail":"Come back tomorrow"/);
  assert.equal((await fetch(server.url)).headers.get("content-type"), "application/problem+json");
});

beyond("no groups before auth", "a refused client is never in a group", async () => {
  const { layer, scope } = withTestLayer();
  const seen: number[] = [];
  const countMembers = async () => {
    const result = await layer.groupSend("chat", { type: "said", data: "secret" });
    seen.push(result.delivered + result.queued + result.dropped);
  };
  class Denying extends Chatting {
    override async connect() {
      await countMembers();
      this.refuse();
    }
  }
  await communicate(Denying, { scope }).connect();
  await countMembers();
  assert.deepEqual(seen, [0, 0]);
});

beyond("exceptions", "an error before accept() is a 500, and after it a 1011", async () => {
  class Buggy extends Consumer {
    override connect() {
      if (this.scope.query.has("late")) return this.accept();
      throw new Error("bug");
    }
    override receive() {
      throw new Error("bug");
    }
  }
  const options = { raise: false, log: silent };
  const early = await communicate(Buggy, options).connect();
  assert.equal(!early.accepted && early.status, 500);
  const late = communicate(Buggy, { ...options, path: "/?late" });
  await late.connect();
  late.send("x");
  assert.equal((await late.closed()).code, 1011);
});

beyond("handshake timeout", "connect() that takes too long is refused with 503", async () => {
  const clock = new FakeClock();
  class Slow extends Consumer {
    override async connect() {
      await new Promise(() => {});
    }
  }
  const peer = communicate(Slow, { clock, limits: { decisionTimeoutMs: 5_000 } });
  const connecting = peer.connect();
  await clock.advance(4_999);
  assert.equal(await Promise.race([connecting, Promise.resolve("waits")]), "waits");
  await clock.advance(1);
  const refused = await connecting;
  assert.deepEqual(refused, { accepted: false, status: 503, code: "UNAVAILABLE" });
});

beyond(
  "application close timeout",
  "disconnect() waits for a running handler, but not forever",
  async () => {
    const clock = new FakeClock();
    const trace: string[] = [];
    class Stuck extends Echo {
      override async receive() {
        await new Promise(() => {});
      }
      override disconnect() {
        trace.push("disconnect");
      }
    }
    const peer = communicate(Stuck, { clock, limits: { teardownGraceMs: 10_000 } });
    await peer.connect();
    peer.send("x");
    await peer.disconnect();
    await clock.advance(9_999);
    assert.deepEqual(trace, []);
    await clock.advance(1);
    assert.deepEqual(trace, ["disconnect"]);
  },
);

beyond("max life", "a socket is closed with 1001 after maxLifeMs, and not earlier", async () => {
  const clock = new FakeClock();
  const peer = communicate(Accepting, { clock, limits: { maxLifeMs: 86_400_000 } });
  await peer.connect();
  await clock.advance(86_399_999);
  assert.equal(await peer.receivesNothing(), true);
  await clock.advance(1);
  assert.equal((await peer.closed()).code, 1001);
  assert.equal(clock.pending, 0);
});

beyond(
  "disconnect at shutdown",
  "disconnect() runs for every socket when the server stops",
  async () => {
    const ends: number[] = [];
    class Ending extends Accepting {
      override disconnect(code: number) {
        ends.push(code);
      }
    }
    await using server = startServer(router<Scope>([route("/", Ending)]));
    const sockets = await Promise.all([server.open("/"), server.open("/"), server.open("/")]);
    const closes = sockets.map((socket) =>
      new Promise<number>((resolve) => socket.onclose = ({ code }) => resolve(code))
    );
    await server.handler.drain(0);
    assert.deepEqual(ends, [1012, 1012, 1012]);
    assert.deepEqual(await Promise.all(closes), [1012, 1012, 1012]);
    assert.equal((await fetch(server.url)).status, 503);
  },
);

beyond(
  "backpressure",
  "the queue of a client that sends faster than it is handled is bounded",
  async () => {
    let release = () => {};
    class Slow extends Echo {
      override async receive() {
        await new Promise<void>((resolve) => release = resolve);
      }
    }
    const limits = { inboxBytes: 1000, messageBurst: 1_000_000 };
    const peer = communicate(Slow, { limits });
    await peer.connect();
    for (let count = 0; count < 102; count++) peer.send("x".repeat(10));
    assert.equal((await peer.closed()).code, 4429);
    release();
    await peer.wait();
  },
);

beyond("backpressure", "the queue of a client that reads too slowly is bounded", async () => {
  class Flood extends Accepting {
    override receive() {
      this.send("y".repeat(600));
    }
  }
  const peer = communicate(Flood, { limits: { sendBufferBytes: 1000 } });
  await peer.connect();
  peer.stall(900);
  peer.send("x");
  assert.equal((await peer.closed()).code, 4408);
});

beyond(
  "send after the end",
  "send() after the end returns false, and throws nothing",
  async () => {
    let late: boolean | undefined;
    class Late extends Accepting {
      override disconnect() {
        late = this.send("late");
      }
    }
    const peer = communicate(Late);
    await peer.connect();
    await peer.disconnect();
    assert.equal(late, false);
  },
);

beyond("send and close", "messages sent before close() arrive before it", async () => {
  class Farewell extends Accepting {
    override receive() {
      this.send("bye");
      this.close();
    }
  }
  const peer = communicate(Farewell);
  await peer.connect();
  peer.send("x");
  assert.equal(await peer.receive(), "bye");
  assert.deepEqual(await peer.closed(), { code: 1000, reason: "" });
});

beyond("serial dispatch", "a timer of a consumer runs in turn with its handlers", async () => {
  const clock = new FakeClock();
  const trace: string[] = [];
  let release = () => {};
  class Timed extends Accepting {
    override async receive() {
      this.scope.connection.after(1000, () => void trace.push("timer"));
      trace.push("begin");
      await new Promise<void>((resolve) => release = resolve);
      trace.push("end");
    }
  }
  const peer = communicate(Timed, { clock });
  await peer.connect();
  peer.send("x");
  await clock.advance(1000);
  assert.deepEqual(trace, ["begin"]);
  release();
  await settle();
  assert.deepEqual(trace, ["begin", "end", "timer"]);
  await peer.disconnect();
  await clock.advance(10_000); // What the server waits for at most runs out.
  assert.equal(clock.pending, 0);
});

/** Sends an upgrade request by hand and returns the beginning of the response. */
async function rawUpgrade(address: string): Promise<string> {
  const { hostname, port, pathname } = new URL(address);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(
    new TextEncoder().encode(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ),
  );
  const buffer = new Uint8Array(4096);
  const size = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, size ?? 0));
}
