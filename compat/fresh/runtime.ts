/**
 * What pages and islands use on both sides of the connection.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";
import { StandInError } from "./stand_in_error.ts";
import { assetSrcset, assetUrl } from "./asset.ts";

export { HttpError } from "./error.ts";
export { Head, type HeadProps } from "./head.ts";

/** Whether this code runs in a browser. */
export const IS_BROWSER: boolean = typeof document !== "undefined";

/** The address of a static file as of this build, which browsers may keep for a year. */
export function asset(path: string): string {
  return assetUrl(path);
}

/** {@linkcode asset} for each address of a `srcset`. */
export function assetSrcSet(srcset: string): string {
  return assetSrcset(srcset);
}

/** Properties of {@linkcode Partial}. */
export interface PartialProps {
  children?: ComponentChildren;
  name: string;
  mode?: "replace" | "prepend" | "append";
}

/** Not in the stand-in. @throws {StandInError} always */
export function Partial(props: PartialProps): VNode {
  throw new StandInError(`<Partial name="${props.name}">`);
}
