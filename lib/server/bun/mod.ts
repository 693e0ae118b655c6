/**
 * Sluice on Bun 1.3 and later, with Bun's own server.
 *
 * @module
 */
export { serve } from "./bun_serve.ts";
export type { ServeOptions } from "../serve_options.ts";
