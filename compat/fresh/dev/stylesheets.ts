import { assetUrl } from "../build/asset.ts";

/** Returns whether a static file is a stylesheet. */
export function isStylesheet(path: string): boolean {
  return path.endsWith(".css");
}

/** Adds the build id to the URLs in a stylesheet. */
export function lockUrls(content: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(content);
  const locked = text.replaceAll(/url\(\s*(["']?)([^"')]+)\1\s*\)/g, (_, _quote, url) => {
    return `url(${JSON.stringify(assetUrl(url.trim()))})`;
  });
  return new TextEncoder().encode(locked);
}
