import { readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { findRuntime, type RuntimeName, RUNTIMES } from "../../tools/provide/runtimes.ts";
import { RawClient } from "../support/raw_request.ts";
import { installPackage, type Project } from "../support/runtimes/installed_package.ts";
import { RuntimeServer } from "../support/runtimes/runtime_server.ts";

const DOCUMENT = new URL("../../docs/runtimes.md", import.meta.url);

/** How long a silent peer's connection is observed after its session has ended, in milliseconds. */
const SILENT_MS = 8_000;

/** Opens a socket without a WebSocket library; `extra` are more lines of the request. */
async function rawSocket(server: RuntimeServer, name: string, extra: string[] = []) {
  const visitor = await server.signIn(name);
  const client = new RawClient(server.origin);
  await client.write([
    "GET /ws/echo HTTP/1.1",
    `Host: ${new URL(server.origin).host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Origin: ${server.origin}`,
    `Cookie: ${visitor.cookie}`,
    ...extra,
    "\r\n",
  ].join("\r\n"));
  const { text: head } = await client.received();
  client.text = "";
  return { client, head, visitor };
}

/** Returns how a server reacts to bytes: the code of its close frame, or that it has none. */
async function reaction(server: RuntimeServer, name: string, ...writes: number[][]) {
  const { client } = await rawSocket(server, name);
  using _ = client;
  for (const bytes of writes) await client.write(new Uint8Array(bytes));
  await Promise.race([client.closed(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  if (client.text.charCodeAt(0) === 0x88) {
    return `close ${client.text.charCodeAt(2) * 256 + client.text.charCodeAt(3)}`;
  }
  return client.isClosed ? "ends without a close frame" : "accepted";
}

/** A masked frame with the mask zero. */
function frame(first: number, size: number): number[] {
  const mask = [0, 0, 0, 0];
  return [first, 0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((n) => (size >>> n) & 255), ...mask]
    .concat(Array(size).fill(97));
}

type Probe = (server: RuntimeServer) => Promise<string>;

/** The rows of the table. */
const PROBES: readonly (readonly [question: string, probe: Probe])[] = [
  [
    "a fragmented message of 2 MB, before its last part",
    (server) => {
      const part = frame(0x00, 500_000);
      return reaction(server, "fragments", frame(0x01, 500_000), part, part, part);
    },
  ],
  [
    "text that is not UTF-8",
    (server) => reaction(server, "utf8", [0x81, 0x82, 0, 0, 0, 0, 255, 254]),
  ],
  ["a frame that is not masked", (server) => reaction(server, "mask", [0x81, 0x01, 0x61])],
  ["a frame with a reserved bit", (server) => reaction(server, "bits", [0xc1, 0x80, 0, 0, 0, 0])],
  [
    "`permessage-deflate`",
    async (server) => {
      const offer = ["Sec-WebSocket-Extensions: permessage-deflate"];
      const { client, head } = await rawSocket(server, "deflate", offer);
      client[Symbol.dispose]();
      return /sec-websocket-extensions/i.test(head) ? "used" : "not used";
    },
  ],
  [
    `the connection of a peer that ignores the close frame, ${SILENT_MS / 1000} s later`,
    async (server) => {
      const { client, visitor } = await rawSocket(server, "silent");
      using _ = client;
      await server.signOut(visitor);
      await Promise.race([client.closed(), new Promise((r) => setTimeout(r, SILENT_MS))]);
      return client.isClosed ? "closed" : "open until the peer closes it";
    },
  ],
  [
    "what a client sends before the 101",
    async (server) => {
      const visitor = await server.signIn("early");
      using client = new RawClient(server.origin);
      await client.write([
        "GET /ws/slow HTTP/1.1",
        `Host: ${new URL(server.origin).host}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        `Origin: ${server.origin}`,
        `Cookie: ${visitor.cookie}`,
        "\r\n",
      ].join("\r\n"));
      await client.write(new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return client.text.endsWith("\x81\x02hi") ? "delivered" : "lost";
    },
  ],
];

const missing = RUNTIMES.filter((name) => findRuntime(name) === undefined);
const rows = PROBES.map(([question]) => [question]);
let project: Project;

before(async () => {
  project = await installPackage();
});
after(() => project[Symbol.asyncDispose]());

async function probe(name: RuntimeName): Promise<void> {
  await using server = await RuntimeServer.start(name, project.folder);
  for (const [index, [, ask]] of PROBES.entries()) rows[index]!.push(await ask(server));
}

const TITLES: Readonly<Record<RuntimeName, string>> = {
  deno: "Deno",
  node22: "Node 22",
  node24: "Node 24",
  bun: "Bun",
};

test("docs/runtimes.md says what each runtime can and cannot do", {
  skip: missing.length > 0 && `not installed: ${missing.join(", ")}`,
  timeout: 170_000,
}, async () => {
  for (const name of RUNTIMES) await probe(name);
  const text = await readFile(DOCUMENT, "utf8");
  const cells = (row: readonly string[]) => row.join(" | ");
  const table = [cells(["", ...RUNTIMES.map((name) => TITLES[name])]), ...rows.map(cells)];
  const [, documented = ""] = /<!-- generated -->\n([\s\S]*?)<!-- end -->/.exec(text) ?? [];
  const seen = documented.split("\n").filter((line) => /^\|(?! -)/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()).join(" | "));
  if (Deno.env.get("UPDATE_DOCS") === "1") {
    const [head, ...body] = table.map((row) => `| ${row} |`);
    const rule = `| ${["", ...RUNTIMES].map(() => "---").join(" | ")} |`;
    const lines = [head, rule, ...body].join("\n");
    const updated = text.replace(
      /<!-- generated -->[\s\S]*<!-- end -->/,
      `<!-- generated -->\n\n${lines}\n\n<!-- end -->`,
    );
    return await writeFile(DOCUMENT, updated);
  }
  assert.deepEqual(seen, table);
});
