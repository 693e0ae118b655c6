/**
 * Sluice on Node 22 and later: a server of its own, or a part of an existing one. Needs the package
 * `ws`.
 *
 * @module
 */
export { attach, type Attachment, type AttachOptions } from "./attach.ts";
export { type NodeServer, serve } from "./node_serve.ts";
export type { NetAddress } from "../peer.ts";
export type { ServeHandler, ServeInfo, ServeOptions } from "../serve_options.ts";
