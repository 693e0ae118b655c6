/**
 * Building and developing an app: what `dev.ts` uses.
 *
 * @module
 */
export { Builder, type BuildOptions, type ResolvedBuildConfig } from "./builder.ts";
export type { OnTransformArgs, OnTransformOptions, TransformFn } from "./transforms.ts";
