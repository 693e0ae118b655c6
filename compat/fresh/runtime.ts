/**
 * Functions for pages and islands, on the server and in the browser.
 *
 * @module
 */
import type { ComponentChildren, VNode } from "preact";
import { StandInError } from "./error.ts";
import { assetSrcset, assetUrl } from "./build/asset.ts";

export { HttpError } from "./error.ts";
export { Head, type HeadProps } from "./head.ts";

/** Whether this code runs in a browser. */
export const IS_BROWSER: boolean = typeof document !== "undefined";

/** Returns the URL of a static file in this build, which browsers can cache for a year. */
export function asset(path: string): string {
  return assetUrl(path);
}

/** {@linkcode asset} for each URL of a `srcset`. */
export function assetSrcSet(srcset: string): string {
  return assetSrcset(srcset);
}

/** Properties of {@linkcode Partial}. */
export interface PartialProps {
  children?: ComponentChildren;
  name: string;
  mode?: "replace" | "prepend" | "append";
}

/** Not available in the stand-in. @throws {StandInError} always */
export function Partial(props: PartialProps): VNode {
  throw new StandInError(`<Partial name="${props.name}">`);
}
