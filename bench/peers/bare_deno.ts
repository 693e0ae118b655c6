/**
 * Bare Deno: `Deno.serve` and `upgradeWebSocket`.
 *
 * `echo`, `fan-out` (a Set of sockets), `gate` (accepts any session cookie unchecked) or
 * `gate-kv FILE` (one `get` of the session from Deno KV).
 *
 * @module
 */
const [mode = "echo", file] = Deno.args;
const all = new Set<WebSocket>();
const kv = file === undefined ? undefined : await Deno.openKv(file);
const isGate = mode.startsWith("gate");

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`listening ${port}`),
}, isGate ? admit : upgrade);

async function admit(request: Request): Promise<Response> {
  const [, token] = /\bsession=([^;]+)/.exec(request.headers.get("cookie") ?? "") ?? [];
  if (token === undefined) return refuse();
  if (kv !== undefined && (await kv.get(["bench", token])).value === null) return refuse();
  return upgrade(request);
}

function refuse(): Response {
  const problem = { status: 401, title: "Unauthorized", code: "NOT_SIGNED_IN" };
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: 401, headers });
}

function upgrade(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => all.add(socket);
  socket.onclose = () => all.delete(socket);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type !== "say" || typeof frame.data?.by !== "number") return;
    if (typeof frame.data.text !== "string") return;
    const text = JSON.stringify({ type: "said", data: frame.data });
    if (mode === "echo") return socket.send(text);
    for (const other of all) other.send(text);
  };
  return response;
}
