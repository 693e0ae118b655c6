/**
 * Serves the stream of `stream_server.ts` in its own process: `stream_process.ts KIND ADDRESS PORT`.
 * Several processes may share the port.
 *
 * @module
 */
import { createHandler } from "../../../lib/server/gate.ts";
import { type BackendKind, openBackend } from "./stream_backend.ts";
import { streamApplication, streamLimits } from "./stream_server.ts";

const [kind, address, port] = Deno.args as [BackendKind, string, string];
const { store, layer } = openBackend(kind, address, { maxMessages: 1_000_000 });
const handler = createHandler(streamApplication(store, layer), { limits: streamLimits });
Deno.serve({ hostname: "127.0.0.1", port: Number(port), reusePort: true, onListen }, handler);

function onListen(): void {
  console.log("listens");
}
