/**
 * Sluice on Deno 2.9 and later.
 *
 * @module
 */
export { type DenoServeHandler, type DenoServeInfo, type DenoServer, serve } from "./deno_serve.ts";
export type { NetAddress } from "../peer.ts";
export type { ServeHandler, ServeInfo, ServeOptions } from "../serve_options.ts";
