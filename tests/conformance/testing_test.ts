import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import {
  communicate,
  communicateHttp,
  FakeClock,
  FaultyLayer,
  signedIn,
  startServer,
} from "@sluice/sluice/testing";
import { Chatting, Echo, Mirror } from "../support/conformance/consumers.ts";
import { silent } from "../support/silent_log.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

conforms(
  "channels/test_testing.py::test_http_communicator",
  "communicateHttp() sends one request, and returns status, headers and body",
  async () => {
    const client = communicateHttp(Mirror, { path: "/test/?foo=bar", method: "POST", body: "x" });
    const answer = await client.response();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(JSON.parse(answer.text).query, "?foo=bar");
    await client.wait();
  },
);

conforms(
  "channels/test_testing.py::test_websocket_communicator",
  "communicate() connects, sends and receives text, bytes and JSON, and disconnects",
  async () => {
    await using peer = communicate(Echo);
    const result = await peer.connect();
    assert.equal(result.accepted && result.subprotocol, undefined);
    peer.send("hello");
    assert.equal(await peer.receive(), "hello");
    peer.send(new Uint8Array([1]));
    assert.deepEqual(await peer.receive(), new Uint8Array([1]));
    peer.sendJson({ hello: "world" });
    assert.deepEqual(await peer.receiveJson(), { hello: "world" });
    assert.equal(await peer.receivesNothing(), true);
    await peer.disconnect();
    await peer.wait();
  },
);

conforms(
  "channels/test_testing.py::test_websocket_incorrect_read_json",
  "receive() rejects with the close if the socket was closed instead",
  async () => {
    class Closing extends Consumer {
      override async connect() {
        await this.accept();
        this.close(4000, "not today");
      }
    }
    const peer = communicate(Closing);
    await peer.connect();
    await assert.rejects(peer.receive(), /the socket was closed: 4000 not today/);
    const binary = communicate(Echo);
    await binary.connect();
    binary.send(new Uint8Array(1));
    await assert.rejects(binary.receiveJson(), TypeError);
  },
);

conforms(
  "channels/test_testing.py::test_timeout_disconnect",
  "a wait fails the test after timeoutMs, and names what it waited for",
  async () => {
    class Mute extends Consumer {}
    const peer = communicate(Mute, { timeoutMs: 1 });
    await peer.connect();
    peer.send("hello");
    await assert.rejects(peer.receive(), /Expected a message within 1 ms/);
    await assert.rejects(peer.closed(), /Expected a close within 1 ms/);
  },
);

beyond(
  "raise",
  "an error of the consumer is thrown once, by the next method or at the end",
  async () => {
    class Buggy extends Echo {
      override receive(): void {
        throw new RangeError("bug");
      }
    }
    const peer = communicate(Buggy);
    await peer.connect();
    peer.send("x");
    await assert.rejects(peer.receive(), RangeError);
    assert.equal((await peer.closed()).code, 1011);
    const unseen = communicate(Buggy);
    await unseen.connect();
    unseen.send("x");
    await assert.rejects(unseen[Symbol.asyncDispose](), RangeError);
    const real = communicate(Buggy, { raise: false, log: silent });
    await real.connect();
    real.send("x");
    assert.equal((await real.closed()).code, 1011);
  },
);

beyond("raise at the end", "wait() throws an error of disconnect()", async () => {
  class Buggy extends Echo {
    override async disconnect() {
      await Promise.resolve();
      throw new RangeError("bug");
    }
  }
  const peer = communicate(Buggy);
  await peer.connect();
  await assert.rejects(peer.disconnect().then(() => peer.wait()), RangeError);
});

beyond(
  "live server",
  "startServer() frees its port and closes its sockets at the end of its block",
  async () => {
    let url = "";
    let closed: Promise<number>;
    {
      await using server = startServer(router<Scope>([route("/", Echo)]));
      url = server.url;
      const socket = await server.open("/");
      closed = new Promise((resolve) => socket.onclose = ({ code }) => resolve(code));
      await assert.rejects(server.open("/nothing").catch(() => Promise.reject(new Error("no"))));
    }
    assert.equal(await closed, 1001);
    await assert.rejects(fetch(url));
  },
);

beyond("faults", "FaultyLayer fails as configured, and recovers", async () => {
  const layer = new FaultyLayer();
  const peer = communicate(Chatting, { scope: signedIn({ layer }) });
  await peer.connect();
  const say = () => layer.groupSend("chat", { type: "said", data: "hi" });
  layer.fault = "drop";
  assert.equal((await say()).delivered, 0);
  layer.fault = "full";
  assert.ok((await say()).dropped > 0);
  await assert.rejects(layer.send("x", { type: "y" }), { code: "CHANNEL_FULL" });
  layer.fault = "unavailable";
  await assert.rejects(say(), { code: "UNAVAILABLE" });
  layer.fault = "slow";
  const slow = say();
  assert.equal(await peer.receivesNothing(), true);
  assert.equal(layer.held, 1);
  layer.fault = undefined;
  layer.release();
  assert.equal((await slow).delivered, 1);
  assert.equal(await peer.receive(), "hi");
});

beyond("factories", "signedIn() creates the scope of a user with a session and a layer", () => {
  const scope = signedIn({ user: { login: "grace" }, params: { room: "lobby" } });
  assert.equal(scope.user.login, "grace");
  assert.equal(scope.session.userId, scope.user.id);
  assert.notEqual(signedIn().user.id, scope.user.id);
});

beyond(
  "fake clock",
  "FakeClock calls due timers in order, and no others",
  async () => {
    const clock = new FakeClock(0);
    const rung: number[] = [];
    for (const ms of [30, 10, 20]) clock.after(ms, () => rung.push(clock.now()));
    clock.after(15, () => rung.push(-1))();
    await clock.advance(20);
    assert.deepEqual(rung, [10, 20]);
    assert.equal(clock.pending, 1);
  },
);
