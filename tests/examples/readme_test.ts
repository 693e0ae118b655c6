import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readFences } from "../../tools/docs/fences.ts";
import { WsClient } from "../support/app/ws_client.ts";
import { ServerProcess } from "../support/examples/server_process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test("the README's server echoes to a page of its origin, and imports only the front door", async () => {
  const program = readFences(await readFile(join(ROOT, "README.md"), "utf8"))
    .find(({ language }) => language === "ts")!.text;
  const imported = [...program.matchAll(/from "([^"]*)"/g)].map(([, specifier]) => specifier);
  assert.deepEqual(imported, ["@sluice/sluice"]);
  const folder = await mkdtemp(join(tmpdir(), "readme_"));
  try {
    const file = join(folder, "server.ts");
    await writeFile(file, program);
    const args = ["run", "-A", "--config", join(ROOT, "deno.json"), "--frozen", file];
    await using server = await ServerProcess.start({ args, cwd: ROOT });
    const url = `${server.origin.replace("http", "ws")}/ws/echo`;
    using socket = await WsClient.connect(url, { headers: { origin: server.origin } });
    socket.send("hello");
    assert.equal((await socket.next()).text, "hello");
    const foreign = WsClient.connect(url, { headers: { origin: "https://evil.example" } });
    await assert.rejects(foreign, { status: 403 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
