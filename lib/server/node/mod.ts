/**
 * Sluice on Node 22 and later: a server of its own, or a part of an existing one. Needs the package
 * `ws`.
 *
 * @module
 */
export { attach } from "./attach.ts";
export { serve } from "./node_serve.ts";
export type { ServeOptions } from "../serve_options.ts";
