import assert from "node:assert/strict";
import fc from "fast-check";
import type { Scope } from "@sluice/sluice";
import { protocolRouter, route, router } from "@sluice/sluice/routing";
import { resolvePeer } from "@sluice/sluice/server";
import { communicate, communicateHttp, FakeClock, startServer } from "@sluice/sluice/testing";
import { Echo, Mirror } from "../support/conformance/consumers.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

const application = protocolRouter<Scope>({
  websocket: router<Scope>([route("/*", Echo)]),
  http: router<Scope>([route("/*", Mirror)]),
});

async function mirrored(path: string, options: Parameters<typeof communicateHttp>[1] = {}) {
  return JSON.parse((await communicateHttp(application, { path, ...options }).response()).text);
}

conforms(
  [
    "daphne/test_http_request.py::test_minimal_request",
    "daphne/test_http_request.py::test_get_request",
  ],
  "method, path and query are in the scope as sent",
  async () => {
    const seen = await mirrored("/a/b%20c/?x=1&x=2&y=%C3%BC");
    assert.equal(seen.method, "GET");
    assert.equal(seen.path, "/a/b%20c/");
    assert.equal(seen.query, "?x=1&x=2&y=%C3%BC");
    assert.equal(seen.body, "");
  },
);

conforms(
  ["daphne/test_http_request.py::test_raw_path", "daphne/test_websocket.py::test_raw_path"],
  "a percent-encoded slash stays encoded in scope.path, and a parameter decodes it",
  async () => {
    assert.equal((await mirrored("/foo%2Fbar")).path, "/foo%2Fbar");
    class Placed extends Echo {
      override async connect() {
        await this.accept();
        this.send(String(this.scope.params.name));
      }
    }
    const peer = communicate(router<Scope>([route("/:name", Placed)]), { path: "/foo%2Fbar" });
    await peer.connect();
    assert.equal(await peer.receive(), "foo/bar");
  },
);

conforms(
  [
    "daphne/test_http_request.py::test_post_request",
    "daphne/test_http_request.py::test_request_body_chunking",
    "daphne/test_http_request.py::test_kitchen_sink",
  ],
  "handle() gets the whole body, for any body in any chunks",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 50 }), { maxLength: 5 }),
        fc.constantFrom("POST", "PUT", "PATCH", "DELETE"),
        async (parts, method) => {
          const body = new ReadableStream<Uint8Array>({
            start(controller) {
              for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
              controller.close();
            },
          });
          const seen = await mirrored("/", { method, body });
          assert.equal(seen.body, parts.map((part) => part.toWellFormed()).join(""));
          assert.equal(seen.method, method);
        },
      ),
      { numRuns: 25 },
    );
  },
);

conforms(
  [
    "daphne/test_http_request.py::test_headers",
    "daphne/test_http_request.py::test_duplicate_headers",
    "daphne/test_http_request.py::test_headers_are_lowercased_and_stripped",
  ],
  "header names are lower case in the scope, without surrounding space, and equal names are joined",
  async () => {
    const headers: [string, string][] = [["MYCUSTOMHEADER", "   foobar    "], ["x-a", "1"], [
      "X-A",
      "2",
    ]];
    const seen = new Map((await mirrored("/", { headers })).headers as [string, string][]);
    assert.equal(seen.get("mycustomheader"), "foobar");
    assert.equal(seen.get("x-a"), "1, 2");
  },
);

conforms(
  "daphne/test_websocket.py::test_http_bits",
  "an upgrade's path, query and headers are in the scope of its consumer",
  async () => {
    const seen: Scope[] = [];
    const atConnect: (string | null)[] = [];
    class Looking extends Echo {
      override connect() {
        seen.push(this.scope);
        atConnect.push(this.scope.headers.get("x-e"));
        return this.accept();
      }
    }
    for (const keepHeaders of [undefined, "all"] as const) {
      const options = { path: "/a%20b?c=d", headers: { "x-e": "f" }, keepHeaders };
      await communicate(Looking, options).connect();
    }
    const [scope, keeping] = seen;
    assert.equal(scope?.path, "/a%20b");
    assert.equal(scope?.query.get("c"), "d");
    assert.deepEqual(atConnect, ["f", "f"]);
    assert.equal(keeping?.headers.get("x-e"), "f");
  },
);

conforms(
  "daphne/test_websocket.py::test_text_frames",
  "non-ASCII text arrives in both directions over a network",
  async () => {
    await using server = startServer(application);
    const socket = await server.open("/");
    const answer = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
    socket.send("what is here? 🌍");
    assert.equal(await answer, "what is here? 🌍");
    socket.close();
  },
);

conforms(
  "daphne/test_websocket.py::test_binary_frames",
  "bytes that are not UTF-8 arrive in both directions over a network",
  async () => {
    await using server = startServer(application);
    const socket = await server.open("/");
    socket.binaryType = "arraybuffer";
    const answer = new Promise<ArrayBuffer>((resolve) =>
      socket.onmessage = ({ data }) => resolve(data)
    );
    const bytes = new Uint8Array([0x20, 0xe2, 0x20, 0xff, 0x00]);
    socket.send(bytes);
    assert.deepEqual(new Uint8Array(await answer), bytes);
    socket.close();
  },
);

conforms(
  "daphne/test_websocket.py::test_websocket_max_message_size",
  "a message over maxMessageBytes closes the socket with 1009 and does not reach the consumer",
  async () => {
    const peer = communicate(Echo, { limits: { maxMessageBytes: 8 } });
    await peer.connect();
    peer.send("ü".repeat(5));
    assert.equal((await peer.closed()).code, 1009);
  },
);

conforms(
  "daphne/test_websocket.py::test_websocket_max_message_size_allows_under_limit",
  "a message of maxMessageBytes arrives unchanged",
  async () => {
    const peer = communicate(Echo, { limits: { maxMessageBytes: 64 } });
    await peer.connect();
    peer.send("x".repeat(64));
    assert.equal(await peer.receive(), "x".repeat(64));
  },
);

conforms(
  "daphne/test_websocket.py::test_http_timeout",
  "answerTimeoutMs applies to plain requests, and does not end sockets",
  async () => {
    const clock = new FakeClock();
    const peer = communicate(Echo, { clock, limits: { answerTimeoutMs: 1000 } });
    await peer.connect();
    await clock.advance(2000);
    peer.send("still alive?");
    assert.equal(await peer.receive(), "still alive?");
  },
);

conforms(
  "daphne/test_websocket.py::test_application_checker_handles_asyncio_cancellederror",
  "a consumer that throws StopConsumer is cleaned up, and nothing is logged",
  async () => {
    const { StopConsumer } = await import("@sluice/sluice/consumers");
    let ended = 0;
    class Stopping extends Echo {
      override receive(): void {
        throw new StopConsumer("enough");
      }
      override disconnect() {
        ended++;
      }
    }
    const peer = communicate(Stopping);
    await peer.connect();
    peer.send("x");
    await peer.disconnect();
    await peer.wait();
    assert.equal(ended, 1);
  },
);

const INVALID_BYTES = [0x0b, 0x0c, 0x1c, 0x1d, 0x1e, 0x85];

conforms(
  "daphne/test_websocket.py::test_websocket_upgrade_rejects_smuggled_headers",
  "no control byte in a header's value makes another header of an upgrade",
  async () => {
    let smuggled: string | null = null;
    class Looking extends Echo {
      override connect() {
        smuggled ??= this.scope.headers.get("x-secret-auth");
        return this.accept();
      }
    }
    await using server = startServer(router<Scope>([route("/ws", Looking)]));
    for (const byte of INVALID_BYTES) {
      const answer = await raw(server.url, [
        "GET /ws HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
        "X-Padding: innocent",
        byte,
        "X-Secret-Auth: admin-token\r\n\r\n",
      ]);
      if (byte !== 0x85) assert.match(answer, /^HTTP\/1.1 400/, `byte ${byte}`);
    }
    assert.equal(smuggled, null);
  },
);

conforms(
  [
    "daphne/test_websocket.py::test_http_request_rejects_invalid_header_value_bytes",
    "daphne/test_http_request.py::test_invalid_header_name",
    "daphne/test_http_request.py::test_bad_requests",
  ],
  "a request with control bytes in a header, or invalid bytes in a name or path, is a 400",
  async () => {
    await using server = startServer(application);
    const begin = "GET / HTTP/1.1\r\nHost: a\r\n";
    const BAD: (string | number)[][] = [
      ...INVALID_BYTES.slice(0, -1).map((byte) => [begin, "X: a", byte, "b\r\n\r\n"]),
      [begin, "foo bar: baz\r\n\r\n"],
      [begin, "foo", 0, "bar: baz\r\n\r\n"],
      [begin, "foo", 0xff, "bar: baz\r\n\r\n"],
      [begin, "foo", 1, "bar: baz\r\n\r\n"],
      ["GET /", 0x01, " HTTP/1.1\r\nHost: a\r\n\r\n"],
    ];
    for (const parts of BAD) {
      assert.match(await raw(server.url, parts), /^HTTP\/1.1 400/, JSON.stringify(parts));
    }
  },
);

function peerOf(headers: Record<string, string>, trustProxy: boolean) {
  const request = new Request("http://10.0.0.9:8000/x", { headers });
  return resolvePeer(request, { remoteAddr: { hostname: "127.0.0.1", port: 1 } }, { trustProxy });
}

conforms(
  [
    "daphne/test_http_request.py::test_x_forwarded_for_ignored",
    "daphne/test_cli.py::test_default_proxyheaders",
  ],
  "X-Forwarded-* are ignored unless the proxy is trusted",
  () => {
    const peer = peerOf({ "x-forwarded-for": "10.1.2.3", "x-forwarded-proto": "https" }, false);
    assert.equal(peer.address, "127.0.0.1");
    assert.equal(peer.url.protocol, "http:");
  },
);

conforms(
  [
    "daphne/test_http_request.py::test_x_forwarded_for_parsed",
    "daphne/test_http_request.py::test_x_forwarded_for_no_port",
    "daphne/test_websocket.py::test_xff",
    "daphne/test_utils.py::test_basic",
    "daphne/test_utils.py::test_address_only",
  ],
  "a trusted proxy reports the client's address, scheme and host",
  () => {
    const headers = {
      "x-forwarded-for": "10.1.2.3",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "example.com",
    };
    const peer = peerOf(headers, true);
    assert.equal(peer.address, "10.1.2.3");
    assert.equal(peer.url.href, "https://example.com/x");
    assert.equal(peerOf({ "x-forwarded-for": "10.1.2.3" }, true).address, "10.1.2.3");
  },
);

conforms(
  "daphne/test_utils.py::test_v6_address",
  "a trusted proxy may report an IPv6 address",
  () => {
    const { address } = peerOf({ "x-forwarded-for": "10.0.5.6, 1043::a321:0001" }, true);
    assert.equal(address, "1043::a321:0001");
  },
);

conforms(
  ["daphne/test_utils.py::test_multiple_proxys", "daphne/test_utils.py::test_multiple_proxies"],
  "the last of several addresses counts; in upstream, a client can write the first",
  () => {
    assert.equal(peerOf({ "x-forwarded-for": "6.6.6.6, 10.1.2.4" }, true).address, "10.1.2.4");
  },
);

conforms(
  ["daphne/test_utils.py::test_original", "daphne/test_utils.py::test_no_original"],
  "the client is the peer without the header",
  () => {
    assert.equal(peerOf({}, true).address, "127.0.0.1");
    assert.equal(peerOf({ "x-forwarded-for": "not an address" }, true).address, "127.0.0.1");
    assert.equal(resolvePeer(new Request("http://a/"), undefined).address, "unknown");
  },
);

beyond(
  "handshake",
  "an invalid handshake is a 400, and one with another version a 426",
  async () => {
    const peer = communicate(Echo);
    const upgrade = { upgrade: "websocket", connection: "Upgrade" };
    assert.equal((await peer.request(upgrade)).status, 426);
    const version = { ...upgrade, "sec-websocket-version": "13" };
    assert.equal((await peer.request({ ...version, "sec-websocket-key": "x" })).status, 400);
  },
);

beyond(
  "connection limits",
  "a client over a limit is refused, and accepted again later",
  async () => {
    const clock = new FakeClock();
    const limits = { messagesPerSecond: 1, messageBurst: 1 };
    const peer = communicate(Echo, { clock, limits });
    await peer.connect();
    peer.send("1");
    await clock.advance(1000);
    peer.send("2");
    peer.send("3");
    assert.equal((await peer.closed()).code, 4429);
  },
);

/** Sends bytes and returns the beginning of the response. */
async function raw(address: string, parts: readonly (string | number)[]): Promise<string> {
  const bytes = parts.flatMap((part) =>
    typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]
  );
  const { hostname, port } = new URL(address);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(Uint8Array.from(bytes));
  const buffer = new Uint8Array(4096);
  const size = await connection.read(buffer).catch(() => null);
  return new TextDecoder().decode(buffer.subarray(0, size ?? 0));
}
