/** Serves the files of the page. */
import { readFile } from "node:fs/promises";

const ROOT = new URL("../", import.meta.url);

/** Paths, their files, and their types. Nothing else is served. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["page/index.html", "text/html"],
  "/page.css": ["page/page.css", "text/css"],
  "/page.js": ["build/page.js", "text/javascript"],
  "/icon.svg": ["page/icon.svg", "image/svg+xml"],
};

const HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "connect-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; " +
    "frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

export async function findPage({ method }: Request, url: URL): Promise<Response> {
  const [file, type] = FILES[url.pathname] ?? [];
  if (file === undefined) return new Response("Not found", { status: 404, headers: HEADERS });
  if (method !== "GET" && method !== "HEAD") {
    const headers = { ...HEADERS, allow: "GET, HEAD" };
    return new Response("Method not allowed", { status: 405, headers });
  }
  const headers = new Headers({ ...HEADERS, "content-type": `${type}; charset=utf-8` });
  if (url.protocol === "https:") headers.set("strict-transport-security", "max-age=31536000");
  return new Response(method === "HEAD" ? null : await readFile(new URL(file, ROOT)), { headers });
}
