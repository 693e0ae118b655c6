import { test } from "node:test";
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Refused } from "../support/app/ws_client.ts";
import { ExampleProcess } from "../support/examples/example_process.ts";

const FOLDER = fileURLToPath(new URL("../../examples/", import.meta.url));

test("echo.ts sends back text and bytes, only to pages of the same site", async () => {
  await using example = await ExampleProcess.start("echo");
  using socket = await example.open("/ws/echo");
  socket.send("hello");
  assert.equal((await socket.next()).text, "hello");
  socket.send(new Uint8Array([1, 2]));
  const { isBinary, bytes } = await socket.next();
  assert.deepEqual([isBinary, ...bytes], [true, 1, 2]);
  const elsewhere = await fetch(`${example.origin}/ws/echo`, {
    headers: { origin: "https://evil.example" },
  });
  assert.equal(elsewhere.status, 403);
  await elsewhere.body?.cancel();
});

test("an example closes its sockets with 1012 and exits with 0 on a stop signal", async () => {
  const example = await ExampleProcess.start("echo");
  const socket = await example.open("/ws/echo");
  const code = example.stop();
  assert.equal((await socket.closed).code, 1012);
  assert.equal(await code, 0);
});

test("chat.ts refuses anonymous users, and lets two signed-in users talk", async () => {
  await using example = await ExampleProcess.start("chat");
  await assert.rejects(example.open("/ws/chat/lobby"), (refused: Refused) => {
    assert.deepEqual([refused.status, refused.code], [401, "NOT_SIGNED_IN"]);
    return true;
  });
  const [ada, grace] = [example.browser(), example.browser()];
  for (const [browser, login] of [[ada, "ada"], [grace, "grace"]] as const) {
    const page = await browser.visit(`/auth/signin?login_hint=${login}&return_to=/`);
    assert.equal(page.status, 200);
    await page.body?.cancel();
  }
  using a = await example.open("/ws/chat/lobby", ada);
  using b = await example.open("/ws/chat/lobby", grace);
  b.sendJson({ type: "say", data: { text: "hello" } });
  const name = "Grace";
  const { from, text } = (await a.frame("said")).data as { from: string; text: string };
  assert.deepEqual([from.startsWith(name), text], [true, "hello"]);
  b.sendJson({ type: "say", data: { text: "" }, id: "1" });
  const { error } = await b.frame("reply");
  assert.equal((error as { code: string }).code, "INVALID_MESSAGE");

  const stale = await ada.request("/auth/callback/dev?code=x&state=y");
  assert.equal(stale.status, 400);
  await stale.body?.cancel();
  const signOut = (origin: string) =>
    ada.request("/auth/signout", { method: "POST", headers: { origin } });
  assert.equal((await signOut("https://evil.example")).status, 405);
  assert.equal((await signOut(example.origin)).status, 303);
  assert.equal((await a.closed).code, 4401);
});

test("notifications.ts reaches every socket of one user and no other socket", async () => {
  await using example = await ExampleProcess.start("notifications");
  const [ada, grace] = [example.browser(), example.browser()];
  await (await ada.visit("/sign-in?as=ada")).body?.cancel();
  await (await grace.visit("/sign-in?as=grace")).body?.cancel();
  const path = "/ws/notifications";
  using first = await example.open(path, ada);
  using second = await example.open(path, ada);
  using other = await example.open(path, grace);
  const notify = async (login: string, text: string) => {
    const body = JSON.stringify({ text });
    const response = await fetch(`${example.origin}/notify?login=${login}`, {
      method: "POST",
      body,
    });
    return await response.json();
  };
  assert.deepEqual(await notify("ada", "done"), { delivered: 2, dropped: 0 });
  for (const socket of [first, second]) {
    assert.deepEqual(await socket.frame("notified"), { type: "notified", data: { text: "done" } });
  }
  await notify("grace", "yours");
  assert.deepEqual((await other.frame("notified")).data, { text: "yours" });
});

test("dashboard.ts sends past figures to a new client, then new ones as they are measured", async () => {
  await using example = await ExampleProcess.start("dashboard");
  using socket = await example.open("/ws/dashboard");
  assert.ok(Array.isArray((await socket.frame("past")).data));
  const figures = [await socket.frame("figures"), await socket.frame("figures")]
    .map(({ data }) => data as { at: number; sockets: number });
  assert.ok(figures[1]!.at > figures[0]!.at);
  assert.equal(figures[1]!.sockets, 1);
});

test("http_streaming.ts streams to open requests, and answers long polls", async () => {
  await using example = await ExampleProcess.start("http_streaming");
  const { origin } = example;
  const events = (await fetch(`${origin}/events`)).body!.pipeThrough(new TextDecoderStream());
  const reader = events.getReader();
  assert.equal((await reader.read()).value, ": welcome\n\n");
  const say = async (text: string) =>
    await (await fetch(`${origin}/say`, { method: "POST", body: text })).text();
  assert.equal(await say("hello"), "1 received it\n");
  assert.equal((await reader.read()).value, 'event: said\ndata: {"text":"hello"}\n\n');
  const next = fetch(`${origin}/next`).then((response) => response.json());
  // The waiting request is in the group once the count rises by one.
  let count = 0;
  while (await say(`again ${++count}`) !== "2 received it\n");
  assert.match((await next).text, /^again/);
  await reader.cancel();
});

test("ai_stream.ts goes on at the right word after a reload, and ends with the session", async () => {
  await using example = await ExampleProcess.start("ai_stream");
  const ada = example.browser();
  await (await ada.visit("/auth/signin?login_hint=ada&return_to=/")).body?.cancel();
  using first = await example.open("/ws/model", ada);
  await first.frame("stream");
  first.sendJson({ type: "ask", data: { question: "Why?" } });
  const words = [(await first.frame("word")).data, (await first.frame("word")).data];
  first.socket.terminate();
  using second = await example.open("/ws/model", ada);
  await second.frame("stream");
  const history = { stream: "answer", after: 3, limit: 500 };
  second.sendJson({ type: "history", id: "1", data: history });
  const { data } = await second.frame("reply");
  const { messages } = data as { messages: { data: unknown }[] };
  words.push(...messages.map((message) => message.data));
  while (words.length < 8) words.push((await second.frame("word")).data);
  assert.equal(words.slice(0, 8).join(" "), "You asked: Why? That is a good question.");
  const { origin } = example;
  await ada.request("/auth/signout", { method: "POST", headers: { origin } });
  assert.equal((await second.closed).code, 4401);
});

test("channels_chat.ts accepts signed-in users, and sends a message to the whole room", async () => {
  await using example = await ExampleProcess.start("channels_chat");
  await assert.rejects(example.open("/ws/chat/lobby"), (refused: Refused) => {
    assert.equal(refused.code, "NOT_SIGNED_IN");
    return true;
  });
  const ada = example.browser();
  await (await ada.visit("/sign-in?as=ada")).body?.cancel();
  using a = await example.open("/ws/chat/lobby", ada);
  using b = await example.open("/ws/chat/lobby", ada);
  using c = await example.open("/ws/chat/other", ada);
  a.sendJson({ type: "message", data: { message: "hello" } });
  for (const socket of [a, b]) {
    assert.deepEqual((await socket.frame("message")).data, { message: "hello" });
  }
  c.sendJson({ type: "message", data: { message: "alone" } });
  assert.deepEqual((await c.frame("message")).data, { message: "alone" });
});

/** Lines of code in the tutorial's `consumers.py`, `routing.py` and `asgi.py`, Channels 4.3. */
const LINES_OF_THE_ORIGINAL = 40;

test("channels_chat.ts is shorter than the code it ports", async () => {
  const text = await readFile(`${FOLDER}channels_chat.ts`, "utf8");
  const [, port = ""] = text.split(/^\/\/ ----.*$/m);
  const lines = port.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
  assert.ok(lines.length > 10 && lines.length < LINES_OF_THE_ORIGINAL, String(lines.length));
});

test("every example is started by a test", async () => {
  const tests = fileURLToPath(new URL("../", import.meta.url));
  const names = (await readdir(tests, { recursive: true })).filter((file) => /\.ts$/.test(file));
  const texts = await Promise.all(names.map((file) => readFile(tests + file, "utf8")));
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".ts"));
  assert.ok(files.length > 5);
  for (const file of files) {
    const started = [`ExampleProcess.start("${file.replace(/\.ts$/, "")}")`, `examples/${file}`];
    assert.ok(texts.some((text) => started.some((words) => text.includes(words))), file);
  }
});

test("every example compiles", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", FOLDER],
    stderr: "piped",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
