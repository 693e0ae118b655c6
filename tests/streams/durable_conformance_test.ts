import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { DurableStreams } from "@sluice/sluice/streams";
import { runDurableSuite } from "../support/streams/durable_suite/run_durable_suite.ts";
import { findDurableSuite } from "../../tools/provide/durable_suite.ts";

/** `DurableStreams` has no forks and no subscriptions. */
const LEFT_OUT = /^(?:Fork - |Reserved subscription APIs)/;

const suite = findDurableSuite();

test(
  "DurableStreams passes the conformance tests of Durable Streams, except forks and subscriptions",
  {
    skip: suite === undefined ? "the conformance tests could not be fetched" : false,
    timeout: 120_000,
  },
  async () => {
    const longPollMs = 1_000;
    const streams = new DurableStreams(new MemoryKeyValue(), { longPollMs });
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => {
        return streams.handle(request, new URL(request.url).pathname);
      },
    );
    const { passed, failed, leftOut } = await runDurableSuite(suite!, {
      baseUrl: `http://127.0.0.1:${server.addr.port}`,
      longPollTimeoutMs: longPollMs,
      leaveOut: LEFT_OUT,
    });
    assert.deepEqual(failed, []);
    assert.equal(passed.length, 250);
    assert.equal(leftOut.length, 88);
    assert.deepEqual(leftOut.filter((name) => !LEFT_OUT.test(name)), []);
  },
);
