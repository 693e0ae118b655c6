import { buildId } from "./build_id.ts";

/** The query parameter with the build id in a file's URL. */
export const BUILD_PARAM = "__frsh_c";

/** Adds the build id to the path of a static file, so that browsers can cache it for a long time. */
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

/** {@linkcode assetUrl} for each URL of a `srcset`; complex ones are left unchanged. */
export function assetSrcset(srcset: string): string {
  const candidates = srcset.split(",");
  const isPlain = !srcset.includes("(") && candidates.every((candidate) => candidate.trim() !== "");
  if (!isPlain) return srcset;
  return candidates
    .map((candidate) => candidate.replace(/^(\s*)(\S+)/, (_, space, url) => space + assetUrl(url)))
    .join(",");
}

/** Adds the build id to the URLs of an image, unless the image opts out. */
export function lockImage(
  props: Record<string, unknown>,
  lock: (path: string) => string,
): void {
  if (props["data-fresh-disable-lock"]) return;
  if (typeof props.src === "string") props.src = lock(props.src);
  if (typeof props.srcset === "string") props.srcset = assetSrcset(props.srcset);
}
