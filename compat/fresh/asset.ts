import { buildId } from "./build_id.ts";

/** The parameter that names the build in the address of a file. */
export const BUILD_PARAM = "__frsh_c";

/** Adds the build to the path of a static file, so that it may be cached for good. */
export function assetUrl(path: string): string {
  if (!path.startsWith("/") || path.startsWith("//")) return path;
  try {
    const url = new URL(path, "http://localhost");
    if (url.host !== "localhost" || url.searchParams.has(BUILD_PARAM)) return path;
    url.searchParams.set(BUILD_PARAM, buildId());
    return url.pathname + url.search + url.hash;
  } catch {
    return path;
  }
}

/** {@linkcode assetUrl} for each address of a `srcset`; one that is not plain stays as it is. */
export function assetSrcset(srcset: string): string {
  const candidates = srcset.split(",");
  const isPlain = !srcset.includes("(") && candidates.every((candidate) => candidate.trim() !== "");
  if (!isPlain) return srcset;
  return candidates
    .map((candidate) => candidate.replace(/^(\s*)(\S+)/, (_, space, url) => space + assetUrl(url)))
    .join(",");
}

/** Adds the build to the addresses of an image, unless it says not to. */
export function lockImage(
  props: Record<string, unknown>,
  lock: (path: string) => string,
): void {
  if (props["data-fresh-disable-lock"]) return;
  if (typeof props.src === "string") props.src = lock(props.src);
  if (typeof props.srcset === "string") props.srcset = assetSrcset(props.srcset);
}
