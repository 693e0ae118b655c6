import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defineMessages,
  JsonConsumer,
  type LayerScope,
  MemoryChannelLayer,
  unchecked,
} from "@sluice/sluice";
import {
  MemoryStreamStore,
  streamDoor,
  type StreamScope,
  type StreamStore,
} from "@sluice/sluice/streams";
import { communicateHttp } from "@sluice/sluice/testing";
import { encodeToken } from "../../lib/streams/http/offset_token.ts";
import { readHistory } from "../../lib/streams/history.ts";

const messages = defineMessages({ client: {}, server: { said: unchecked<undefined>() } });

class News extends JsonConsumer<typeof messages, LayerScope & StreamScope> {
  readonly messages = messages;
  readonly handlers = {};

  override get streams() {
    return { room: "room" };
  }
}

/** A stream of 30 messages whose first 20 also belong to the epoch "before". */
async function openFork(): Promise<{ store: StreamStore; epoch: string }> {
  const memory = new MemoryStreamStore();
  for (let number = 0; number < 30; number++) await memory.append("room", { type: "said" });
  const earlier = [{ epoch: "before", offset: 20 }];
  const store = new Proxy<StreamStore>(memory, {
    get: (target, name) =>
      name === "read"
        ? async (...args: Parameters<StreamStore["read"]>) => ({
          ...await target.read(...args),
          earlier,
        })
        : Reflect.get(target, name),
  });
  return { store, epoch: (await memory.state("room")).epoch };
}

test("a token of an earlier epoch is valid up to the offset that both share", async () => {
  const { store, epoch } = await openFork();
  const scope = { streamStore: store, layers: { default: new MemoryChannelLayer() } };
  const door = streamDoor((scope: typeof News.prototype.scope) => new News(scope), "room");
  const read = async (offset: number) => {
    const path = `/streams/news?offset=${encodeToken({ epoch: "before", offset })}`;
    await using client = communicateHttp(door, { path, scope });
    return await client.response();
  };
  const shared = await read(20);
  assert.equal(JSON.parse(shared.text)[0].offset, 21);
  assert.equal(shared.headers.get("stream-next-offset"), encodeToken({ epoch, offset: 30 }));
  assert.equal((await read(21)).status, 410);
});

test("readHistory() goes on in an earlier epoch up to the offset that both share", async () => {
  const { store, epoch } = await openFork();
  const ask = (query: { epoch?: string; after?: number; before?: number }) => {
    return readHistory(store, "room", { limit: 500, ...query });
  };
  const shared = await ask({ epoch: "before", after: 20 });
  assert.deepEqual([shared.epoch, shared.recovered, shared.messages[0]?.offset], [epoch, true, 21]);
  const beyond = await ask({ epoch: "before", after: 21 });
  assert.deepEqual([beyond.recovered, beyond.messages[0]?.offset], [false, 21]);
  const other = await ask({ epoch: "other", after: 1 });
  assert.deepEqual([other.recovered, other.messages[0]?.offset], [false, 1]);
  assert.equal((await ask({ epoch: "before", before: 21 })).recovered, true);
  assert.equal((await ask({ epoch: "before", before: 22 })).recovered, false);
});
