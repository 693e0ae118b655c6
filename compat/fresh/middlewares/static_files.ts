import { BUILD_PARAM } from "../build/asset.ts";
import { buildId } from "../build/build_id.ts";
import { requestUi } from "../http/request_ui.ts";
import type { Middleware } from "../routing/chain.ts";
import type { StaticFile } from "../build/snapshot.ts";

const YEAR = "public, max-age=31536000, immutable";
const NEVER = "no-cache, no-store, max-age=0, must-revalidate";

/**
 * Serves the files of `static/` and the islands' scripts. In production they have an `ETag`, and files
 * with the build id in their URL can be cached for a year.
 */
export function staticFiles<State>(): Middleware<State> {
  return async (ctx) => {
    const { req, url, config } = ctx;
    const pathname = filePathname(url.pathname, config.basePath);
    const { snapshot } = requestUi(ctx);
    const file = pathname === undefined ? null : await snapshot.readFile(pathname);
    if (file === null) {
      if (pathname === "/favicon.ico") return new Response(null, { status: 404 });
      return await ctx.next();
    }
    if (req.method !== "GET" && req.method !== "HEAD") {
      return new Response("Method Not Allowed", { status: 405 });
    }
    const build = url.searchParams.get(BUILD_PARAM);
    if (build !== null && build !== buildId()) return redirectToCurrent(url);

    const isDev = config.mode === "development";
    const isLocked = build !== null || isScript(pathname!);
    const headers = new Headers({ "Content-Type": file.contentType, "Vary": "If-None-Match" });
    if (!isDev && file.hash !== null) {
      if (hasTag(req.headers.get("If-None-Match"), file.hash)) {
        return new Response(null, { status: 304, headers });
      }
      headers.set("ETag", `W/"${file.hash}"`);
    }
    headers.set("Cache-Control", isLocked && !isDev ? YEAR : NEVER);
    return await fileResponse(req, file, headers);
  };
}

async function fileResponse(req: Request, file: StaticFile, headers: Headers): Promise<Response> {
  headers.set("Content-Length", String(file.size));
  return new Response(req.method === "HEAD" ? null : await file.open(), { headers });
}

/**
 * Returns the name of a file in the snapshot, with each segment encoded. Security: an encoded slash or
 * `..` stays part of a name, so no URL leaves the directory.
 */
function filePathname(pathname: string, basePath: string): string | undefined {
  const path = basePath ? pathname.slice(basePath.length) : pathname;
  try {
    const segments = decodeURIComponent(path).split("/").filter((segment) => segment !== "");
    if (segments.length === 0 || segments.includes("..") || segments.includes(".")) return;
    return "/" + segments.map(encodeURIComponent).join("/");
  } catch {
    return; // Invalid UTF-8 names no file.
  }
}

/** Redirects a request from a page of another build to the current file. */
function redirectToCurrent(url: URL): Response {
  const current = new URL(url);
  current.searchParams.delete(BUILD_PARAM);
  const location = current.pathname + current.search;
  return new Response(null, { status: 307, headers: { location } });
}

function isScript(pathname: string): boolean {
  return pathname.startsWith(`/_fresh/js/${buildId()}/`);
}

function hasTag(header: string | null, hash: string): boolean {
  const tags = header?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return tags.includes(hash) || tags.includes(`"${hash}"`);
}
