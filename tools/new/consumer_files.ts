import type { ConsumerNames } from "./consumer_names.ts";

/** Returns the files of a new consumer, by path from the root. */
export function consumerFiles(names: ConsumerNames): Readonly<Record<string, string>> {
  return {
    [`consumers/${names.name}_messages.ts`]: messagesFile(names),
    [`consumers/${names.name}_consumer.ts`]: consumerFile(names),
    [testPath(names)]: testFile(names),
  };
}

/** Returns the path of a new consumer's test. */
export function testPath({ name }: ConsumerNames): string {
  return `tests/app/consumers/${name}_consumer_test.ts`;
}

function messagesFile({ camel, pascal, path }: ConsumerNames): string {
  return `import type { PublicUser } from "@sluice/sluice/auth";
import { defineMessages, unchecked } from "@sluice/sluice";
import * as v from "valibot";

/** The messages of \`${path}\`, in both directions. */
export const ${camel}Messages = defineMessages({
  client: {
    say: {
      data: v.object({ text: v.pipe(v.string(), v.minLength(1), v.maxLength(500)) }),
      reply: unchecked<{ readonly delivered: number }>(),
    },
  },
  server: {
    said: unchecked<{ readonly by: PublicUser; readonly text: string }>(),
  },
});

/** The type of {@linkcode ${camel}Messages}, for clients. */
export type ${pascal}Messages = typeof ${camel}Messages;
`;
}

function consumerFile({ name, camel, pascal }: ConsumerNames): string {
  return `import { type SignedInScope, toPublicUser } from "@sluice/sluice/auth";
import { type HandlersOf, JsonConsumer, type LayerScope } from "@sluice/sluice";
import { ${camel}Messages, type ${pascal}Messages } from "./${name}_messages.ts";

/** The data that a {@linkcode ${pascal}Consumer} needs about its connection. */
export interface ${pascal}Scope extends SignedInScope, LayerScope {}

/** Sends each message to all connected clients. */
export class ${pascal}Consumer extends JsonConsumer<${pascal}Messages, ${pascal}Scope> {
  readonly messages = ${camel}Messages;
  readonly handlers = handlers;

  override get groups(): readonly string[] {
    return [GROUP];
  }
}

const GROUP = "${name}";

const handlers: HandlersOf<${pascal}Consumer> = {
  async say({ text }) {
    const by = toPublicUser(this.scope.user);
    const { delivered } = await this.groupSend(GROUP, { type: "said", data: { by, text } });
    return { delivered };
  },
};
`;
}

function testFile({ name, pascal, path }: ConsumerNames): string {
  return `import { test } from "node:test";
import assert from "node:assert/strict";
import { MemoryChannelLayer } from "@sluice/sluice";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { communicate, type Communicator, signedIn } from "@sluice/sluice/testing";
import { ${pascal}Consumer } from "../../../consumers/${name}_consumer.ts";

/** Connects a user directly to the consumer, without the gate. */
async function connectAs(login: string, layer: ChannelLayer): Promise<Communicator> {
  const scope = signedIn({ user: { login }, layer });
  const peer = communicate(${pascal}Consumer, { path: "${path}", scope });
  assert.equal((await peer.connect()).accepted, true);
  return peer;
}

test("${pascal}Consumer sends each message to everyone, with its author", async () => {
  const layer = new MemoryChannelLayer();
  await using ada = await connectAs("ada", layer);
  await using grace = await connectAs("grace", layer);
  ada.sendJson({ type: "say", data: { text: "hello" }, id: "1" });
  const reply = { type: "reply", id: "1", ok: true, data: { delivered: 2 } };
  assert.deepEqual(await ada.receiveJson(), reply);
  const { type, data } = await grace.receiveJson();
  const { by, text } = data as { by: { login: string }; text: string };
  assert.deepEqual([type, by.login, text], ["said", "ada", "hello"]);
});

test("${pascal}Consumer refuses an empty text and sends nothing", async () => {
  const layer = new MemoryChannelLayer();
  await using ada = await connectAs("ada", layer);
  await using grace = await connectAs("grace", layer);
  ada.sendJson({ type: "say", data: { text: "" }, id: "1" });
  const { ok, error } = await ada.receiveJson();
  assert.deepEqual([ok, (error as { code: string }).code], [false, "INVALID_MESSAGE"]);
  assert.equal(await grace.receivesNothing(), true);
});
`;
}
