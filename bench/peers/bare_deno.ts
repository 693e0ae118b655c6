/** Bare Deno: `Deno.serve` and `upgradeWebSocket`, JSON in and out, a Set for the fan-out. */
const all = new Set<WebSocket>();
const isFanOut = Deno.args[0] === "fan-out";

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`listening ${port}`),
}, (request) => {
  const protocol = request.headers.get("sec-websocket-protocol");
  const { socket, response } = Deno.upgradeWebSocket(request);
  if (protocol !== null) response.headers.set("sec-websocket-protocol", protocol);
  socket.onopen = () => all.add(socket);
  socket.onclose = () => all.delete(socket);
  socket.onmessage = ({ data }) => {
    const text = JSON.stringify(JSON.parse(data));
    if (!isFanOut) return socket.send(text);
    for (const other of all) other.send(text);
  };
  return response;
});
