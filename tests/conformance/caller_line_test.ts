import { test } from "node:test";
import assert from "node:assert/strict";
import { Consumer, HttpConsumer } from "@sluice/sluice/consumers";
import { communicate, communicateHttp } from "@sluice/sluice/testing";

class Silent extends Consumer {}

class Hanging extends HttpConsumer {
  override async handle() {
    this.sendHeaders({});
    await this.sendBody("1", { more: true });
    await new Promise(() => {});
  }
}

class Deaf extends HttpConsumer {
  override async handle() {
    await new Promise(() => {});
  }
}

const options = { timeoutMs: 10 };

type Wait = () => Promise<unknown>;

/** Waits that time out, each on its own line. */
function waits(): [what: string, wait: Wait][] {
  const peer = communicate(Silent, options);
  const client = communicateHttp(Hanging, options);
  const other = communicateHttp(Hanging, options);
  const deaf = communicateHttp(Deaf, options);
  const connected = peer.connect();
  return [
    ["receive()", async () => (await connected, await peer.receive())],
    ["receiveJson()", async () => await peer.receiveJson()],
    ["closed()", async () => await peer.closed()],
    ["wait()", async () => await peer.wait()],
    ["chunk()", async () => (await client.chunk(), await client.chunk())],
    ["response()", async () => await other.response()],
    ["head()", async () => await deaf.head()],
  ];
}

for (const [what, wait] of waits()) {
  test(`a timeout of ${what} in the test kit reports the line that waits`, async () => {
    const error = await wait().then(() => assert.fail("it did not time out"), (error) => error);
    assert.match(error.message, /^Expected .* within 10 ms, but none arrived$/);
    assert.ok(error.stack.includes("caller_line_test.ts"), error.stack);
  });
}

test("a timeout in the test kit reports the line that started the wait, even if another line awaits it", async () => {
  const peer = communicate(Silent, options);
  await peer.connect();
  const message = peer.receive(); // This line.
  const error = await message.then(() => assert.fail("it did not time out"), (error) => error);
  const line = new Error().stack!.match(/caller_line_test\.ts:(\d+)/)![1];
  assert.ok(error.stack.includes(`caller_line_test.ts:${Number(line) - 2}:`), error.stack);
});
