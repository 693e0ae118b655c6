/** Options of `app.listen()`: those of `Deno.serve()`. */
export type ListenOptions = Partial<Deno.ServeTcpOptions & Deno.TlsCertifiedKeyPem>;

type Handler = (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response>;

/** Serves a handler, and prints its address. Without a port, it uses a free one from 8000 to 8019. */
export function serveApp(handler: Handler, basePath: string, options: ListenOptions): void {
  const onListen = options.onListen ?? ((address) => announce(address, basePath, options));
  const ports = options.port ? [options.port] : Array.from({ length: 20 }, (_, i) => 8000 + i);
  let refused: unknown;
  for (const port of ports) {
    try {
      Deno.serve({ ...options, port, onListen }, handler);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      refused ??= error;
    }
  }
  throw refused;
}

function announce(address: Deno.NetAddr, basePath: string, options: ListenOptions): void {
  const protocol = options.key && options.cert ? "https:" : "http:";
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  console.log(`\nReady on ${protocol}//${host}:${address.port}${basePath}/`);
}
