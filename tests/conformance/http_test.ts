import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { deleteCookie, HttpConsumer, setCookie } from "@sluice/sluice/consumers";
import type { LayerScope } from "@sluice/sluice/layers";
import { route, router } from "@sluice/sluice/routing";
import { communicate, communicateHttp, startServer } from "@sluice/sluice/testing";
import { Mirror, withTestLayer } from "../support/conformance/consumers.ts";
import { silent } from "../support/silent_log.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

conforms(
  [
    "channels/test_generic_http.py::test_async_http_consumer",
    "channels/test_generic_http.py::test_async_http_consumer_future",
    "daphne/test_http_response.py::test_minimal_response",
    "daphne/test_http_response.py::test_custom_status_code",
  ],
  "handle() gets the whole body, and sendResponse() sends status, headers and body",
  async () => {
    class Doubling extends HttpConsumer {
      override async handle(body: Uint8Array) {
        const { value } = JSON.parse(new TextDecoder().decode(body));
        await this.sendResponse(201, JSON.stringify({ value: 2 * value }), {
          "content-type": "application/json",
        });
      }
    }
    const body = JSON.stringify({ value: 21, anything: false });
    const answer = await communicateHttp(Doubling, { method: "POST", body }).response();
    assert.equal(answer.text, '{"value":42}');
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("content-type"), "application/json");
  },
);

conforms(
  "channels/test_generic_http.py::test_error",
  "an error in handle() is thrown to the test; raise: false shows the 500",
  async () => {
    class Failing extends HttpConsumer {
      override handle(): void {
        throw new RangeError("Error correctly raised");
      }
    }
    await assert.rejects(communicateHttp(Failing).response(), /Error correctly raised/);
    const answer = await communicateHttp(Failing, { raise: false, log: silent }).response();
    assert.equal(answer.status, 500);
  },
);

conforms(
  "channels/test_generic_http.py::test_per_scope_consumers",
  "each request has its own consumer",
  async () => {
    const seen = new Set<unknown>();
    class Once extends HttpConsumer {
      override async handle() {
        seen.add(this);
        await this.sendResponse(200);
      }
    }
    const application = router<Scope>([route("/", Once)]);
    await communicateHttp(application).response();
    await communicateHttp(application).response();
    assert.equal(seen.size, 2);
  },
);

conforms(
  "daphne/test_http_response.py::test_chunked_response",
  "a response in chunks arrives complete",
  () => pieces(["chunk 1 ", "chunk 2"], "chunk 1 chunk 2"),
);

conforms(
  "daphne/test_http_response.py::test_chunked_response_empty",
  "a response in chunks may end with an empty chunk",
  () => pieces(["chunk 1 ", "chunk 2", ""], "chunk 1 chunk 2"),
);

async function pieces(parts: string[], whole: string) {
  class Pieces extends HttpConsumer {
    override async handle() {
      this.sendHeaders();
      for (const [index, part] of parts.entries()) {
        await this.sendBody(part, { more: index < parts.length - 1 });
      }
    }
  }
  await using server = startServer(router<Scope>([route("/", Pieces)]));
  assert.equal(await (await fetch(server.url)).text(), whole);
}

conforms(
  "daphne/test_http_response.py::test_body",
  "a body arrives unchanged for any bytes",
  async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    class Bytes extends HttpConsumer {
      override async handle(body: Uint8Array) {
        await this.sendResponse(200, body);
      }
    }
    await using server = startServer(router<Scope>([route("/", Bytes)]));
    const response = await fetch(server.url, { method: "POST", body: bytes });
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
  },
);

conforms(
  "daphne/test_http_response.py::test_headers",
  "headers arrive, including several with the same name",
  async () => {
    class Headed extends HttpConsumer {
      override async handle() {
        this.setCookie("a", "1");
        this.setCookie("b", "2");
        await this.sendResponse(200, "x", { "X-Mixed-Case": " value " });
      }
    }
    await using server = startServer(router<Scope>([route("/", Headed)]));
    const { headers, body } = await fetch(server.url);
    await body?.cancel();
    assert.equal(headers.get("x-mixed-case"), "value");
    assert.equal(headers.getSetCookie().length, 2);
  },
);

conforms(
  [
    "daphne/test_http_response.py::test_headers_type",
    "daphne/test_http_response.py::test_headers_type_raw",
  ],
  "an invalid response header fails with a specific error, and a 500 for the client",
  async () => {
    class Wrong extends HttpConsumer {
      override async handle() {
        await this.sendResponse(200, "x", { "bad name": "x" });
      }
    }
    await assert.rejects(communicateHttp(Wrong).response(), TypeError);
    const answer = await communicateHttp(Wrong, { raise: false, log: silent }).response();
    assert.equal(answer.status, 500);
  },
);

conforms(
  "daphne/test_http_response.py::test_status_code_required",
  "a body without a head fails with a specific error; the default status is 200",
  async () => {
    class Headless extends HttpConsumer {
      override async handle() {
        await assert.rejects(this.sendBody("x"), TypeError);
        this.sendHeaders();
        await this.sendBody("x");
      }
    }
    assert.equal((await communicateHttp(Headless).response()).status, 200);
  },
);

conforms(
  "channels/test_http.py::test_set_cookie",
  "setCookie() writes a header with a path and SameSite=Lax; unlike upstream it is HttpOnly",
  () => {
    const headers = new Headers();
    setCookie(headers, "Testing-Key", "testing-value");
    const written = headers.get("set-cookie");
    assert.equal(written, "Testing-Key=testing-value; Path=/; HttpOnly; SameSite=Lax");
    setCookie(headers, "k", "v", {
      maxAgeSeconds: 1.9,
      path: "/a",
      domain: "example.com",
      secure: true,
      httpOnly: false,
      sameSite: "None",
    });
    assert.equal(
      headers.getSetCookie()[1],
      "k=v; Path=/a; Domain=example.com; Max-Age=1; SameSite=None; Secure",
    );
  },
);

conforms(
  [
    "channels/test_http.py::test_session_samesite",
    "channels/test_http.py::test_session_samesite_invalid",
  ],
  "sameSite is Strict, Lax or None, and None requires secure; anything else is a TypeError",
  () => {
    for (const sameSite of ["Strict", "Lax"] as const) {
      const headers = new Headers();
      setCookie(headers, "k", "v", { sameSite });
      assert.match(headers.get("set-cookie")!, new RegExp(`SameSite=${sameSite}$`));
    }
    const headers = new Headers();
    for (const sameSite of ["lax", "whatever", "None"] as ("Lax" | "None")[]) {
      assert.throws(() => setCookie(headers, "k", "v", { sameSite }), TypeError);
    }
    for (const bad of ["a;b", "a b", 'a"', "a\n", "a,b", "ü"]) {
      assert.throws(() => setCookie(headers, "k", bad), TypeError);
      assert.throws(() => setCookie(headers, bad, "v"), TypeError);
    }
    assert.throws(() => setCookie(headers, "k", "v", { path: "/;Domain=evil" }), TypeError);
    assert.throws(() => setCookie(headers, "k", "v", { domain: "a;b" }), TypeError);
    assert.equal(headers.get("set-cookie"), null);
  },
);

beyond(
  "delete cookie",
  "deleteCookie() deletes a cookie in the browser, including a __Host- one",
  () => {
    const headers = new Headers();
    deleteCookie(headers, "theme", { path: "/a", domain: "example.com" });
    deleteCookie(headers, "__Host-x");
    assert.deepEqual(headers.getSetCookie(), [
      "theme=; Path=/a; Domain=example.com; Max-Age=0; HttpOnly; SameSite=Lax",
      "__Host-x=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
    ]);
  },
);

beyond(
  "long-poll",
  "a request in a group is answered by a message, and leaves the group afterwards",
  async () => {
    const { layer, scope } = withTestLayer();
    class Poll extends HttpConsumer<Scope & LayerScope> {
      override get groups() {
        return ["news"];
      }
      override handle() {
        this.wait(25_000);
      }
      override async event({ type }: { type: string }) {
        await this.sendResponse(200, type);
      }
    }
    const client = communicateHttp(Poll, { scope });
    assert.equal(await client.receivesNothing(), true);
    await layer.groupSend("news", { type: "now" });
    assert.equal((await client.response()).text, "now");
    assert.equal(layer.stats.groups, 0);
  },
);

beyond("http and sockets", "an HttpConsumer answers an upgrade as a plain request", async () => {
  const response = await communicate(Mirror).request({
    upgrade: "websocket",
    connection: "Upgrade",
  });
  assert.equal(response.status, 200);
});

beyond(
  "session over",
  "a waiting request is answered with 401 when its session ends",
  async () => {
    class Poll extends HttpConsumer {
      override handle() {
        this.wait(25_000);
        this.scope.connection.end(4401, "signed-out");
      }
    }
    const answer = await communicateHttp(Poll).response();
    assert.equal(answer.status, 401);
    assert.match(answer.text, /NOT_SIGNED_IN/);
  },
);

beyond(
  "request aborted",
  "a client that disconnects while sending does not reach handle()",
  async () => {
    let handled = 0;
    class Upload extends HttpConsumer {
      override handle() {
        handled++;
      }
    }
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(1));
        controller.error(new Error("gone"));
      },
    });
    const client = communicateHttp(Upload, { method: "POST", body });
    await client.send();
    await client.leave();
    assert.equal(handled, 0);
  },
);
