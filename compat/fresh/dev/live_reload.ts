type Handler = (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response>;

/** Sends pages the id of the server's start over a WebSocket. */
export function liveReload(handler: Handler): Handler {
  const revision = Date.now();
  return (req, info) => {
    if (URL.parse(req.url)?.pathname !== "/_frsh/alive") return handler(req, info);
    if (req.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return Promise.resolve(new Response(null, { status: 501 }));
    }
    const { socket, response } = Deno.upgradeWebSocket(req);
    socket.onopen = () => socket.send(JSON.stringify({ revision }));
    return Promise.resolve(response);
  };
}
