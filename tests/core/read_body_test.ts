import { test } from "node:test";
import assert from "node:assert/strict";
import { Refusal } from "@sluice/sluice";
import { leaveBody, readBody } from "../../lib/core/read_body.ts";
import { FakeClock } from "@sluice/sluice/testing";

/** A body that a test feeds; records how it is used. */
class Body {
  pulled = 0;
  isCancelled = false;
  controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array>;

  constructor(next: (body: Body) => void, headers: HeadersInit = {}) {
    this.headers = new Headers(headers);
    this.body = new ReadableStream({
      start: (controller) => void (this.controller = controller),
      pull: () => {
        this.pulled++;
        next(this);
      },
      cancel: () => void (this.isCancelled = true),
    }, { highWaterMark: 0 });
  }
}

/** A body of `sizes.length` chunks. */
function chunks(sizes: readonly number[], headers?: HeadersInit): Body {
  return new Body(({ pulled, controller }) => {
    const size = sizes[pulled - 1];
    if (size === undefined) controller.close();
    else controller.enqueue(new Uint8Array(size).fill(pulled));
  }, headers);
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(() => undefined, (error) => error);
  assert.ok(error instanceof Refusal, `Expected a refusal, got ${error}`);
  return error;
}

test("readBody() returns the whole body, and no bytes without a body", async () => {
  const request = new Request("http://a/", { method: "POST", body: "hello" });
  assert.equal(new TextDecoder().decode(await readBody(request)), "hello");
  assert.equal((await readBody(new Request("http://a/"))).length, 0);
  const bytes = await readBody(chunks([3, 1, 2000, 2]));
  assert.equal(bytes.length, 2006);
  assert.deepEqual([...bytes.slice(0, 5), ...bytes.slice(-2)], [1, 1, 1, 2, 3, 4, 4]);
});

test("readBody() accepts 4,096 bytes by default, and not one more", async () => {
  assert.equal((await readBody(chunks([4096]))).length, 4096);
  assert.equal((await readBody(chunks(Array(4096).fill(1)))).length, 4096);
  for (const sizes of [[4097], [4096, 1], Array(4097).fill(1)]) {
    const { code, status } = await refusal(readBody(chunks(sizes)));
    assert.deepEqual([code, status], ["BODY_TOO_LARGE", 413]);
  }
  assert.equal((await readBody(chunks([5000]), { maxBytes: 5000 })).length, 5000);
  assert.equal((await readBody(chunks([]), { maxBytes: 0 })).length, 0);
  assert.equal((await refusal(readBody(chunks([1]), { maxBytes: 0 }))).code, "BODY_TOO_LARGE");
});

test("readBody() refuses a Content-Length past the limit before it reads", async () => {
  const body = chunks([1], { "content-length": "4097" });
  assert.equal((await refusal(readBody(body))).code, "BODY_TOO_LARGE");
  assert.equal(body.pulled, 0);
  const headers = new Headers({ "content-length": "4097" });
  assert.equal((await refusal(readBody({ headers }))).code, "BODY_TOO_LARGE");
});

test("readBody() reads nothing past the limit, and cancels the body one second later", async () => {
  const clock = new FakeClock();
  const body = new Body(({ controller }) => controller.enqueue(new Uint8Array(4096)));
  assert.equal((await refusal(readBody(body, { clock }))).code, "BODY_TOO_LARGE");
  assert.equal(body.pulled, 2);
  await clock.advance(999);
  assert.deepEqual([body.pulled, body.isCancelled], [2, false]);
  await clock.advance(1);
  assert.deepEqual([body.pulled, body.isCancelled], [2, true]);
  assert.equal(clock.pending, 0);
});

test("readBody() keeps at most 16 refused bodies, and cancels the oldest first", async () => {
  const clock = new FakeClock();
  const bodies = Array.from({ length: 20 }, () => chunks([5000]));
  for (const body of bodies) await refusal(readBody(body, { clock }));
  assert.deepEqual(bodies.map(({ isCancelled }) => isCancelled).indexOf(false), 4);
  assert.equal(clock.pending, 16);
});

test("readBody() refuses a body that stops arriving after 30 seconds", async () => {
  const clock = new FakeClock();
  const body = new Body(({ pulled, controller }) => {
    if (pulled === 1) controller.enqueue(new Uint8Array(1));
  });
  const reading = refusal(readBody(body, { clock }));
  await clock.advance(29_999);
  assert.equal(clock.pending, 2, "the time limit and the check of the memory");
  await clock.advance(1);
  const { code, status } = await reading;
  assert.deepEqual([code, status], ["BODY_TIMEOUT", 408]);
  assert.equal(body.isCancelled, true);
  assert.equal(clock.pending, 1, "the cancellation of other refused bodies");
});

test("readBody() allows 30 seconds for the whole body, however often a byte arrives", async () => {
  const clock = new FakeClock();
  const body = new Body(({ controller }) =>
    clock.after(700, () => controller.enqueue(new Uint8Array(1)))
  );
  const reading = refusal(readBody(body, { clock }));
  await clock.advance(30_000);
  assert.equal((await reading).code, "BODY_TIMEOUT");
});

test("readBody() leaves no timer behind after a complete body", async () => {
  const clock = new FakeClock();
  await readBody(chunks([1]), { clock });
  assert.equal(clock.pending, 0);
});

test("readBody() refuses an aborted body, and uses a single timer", async () => {
  const clock = new FakeClock();
  const body = new Body(({ controller }) => controller.error(new Error("connection reset")));
  const { code, status } = await refusal(readBody(body, { clock }));
  assert.deepEqual([code, status, clock.pending], ["BODY_INCOMPLETE", 400, 0]);
});

test("leaveBody() reads nothing, and has no effect on a body that was read", async () => {
  const body = chunks([1]);
  leaveBody(body);
  assert.deepEqual([body.pulled, body.body.locked], [0, true]);
  const read = chunks([1]);
  await readBody(read);
  leaveBody(read);
  leaveBody(new Request("http://a/"));
});
