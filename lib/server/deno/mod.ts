/**
 * Sluice on Deno 2.9 and later.
 *
 * @module
 */
export { serve } from "./deno_serve.ts";
export type { ServeOptions } from "../serve_options.ts";
