/**
 * Turns the path of a route file, without extension, into a `URLPattern` pathname:
 * `blog/[id]/index` becomes `/blog/:id`.
 *
 * @param keepGroups keep `(group)` folders, which are part of the file's path but not of the URL
 * @throws {SyntaxError} if the brackets do not form parameters
 */
export function filePathToPattern(path: string, keepGroups = false): string {
  const segments = path.split("/");
  if (segments.at(-1) === "index") segments.pop();
  let pattern = "";
  let required = 0;
  for (const segment of segments) {
    if (!keepGroups && isGroup(segment)) continue;
    const part = segmentToPattern(segment, path);
    if (part.startsWith("/") && !part.endsWith("*")) required++;
    pattern += part;
  }
  if (pattern === "") return "/";
  // An optional parameter at the root must not consume the leading slash.
  return required === 0 && pattern.startsWith("{/") ? "/{" + pattern.slice(2) : pattern;
}

function isGroup(segment: string): boolean {
  return segment.startsWith("(") && segment.endsWith(")");
}

function segmentToPattern(segment: string, path: string): string {
  const rest = /^\[\.\.\.([^\[\]]+)\]$/.exec(segment);
  if (rest) return `/:${rest[1]}*`;
  const optional = /^\[\[([^\[\]]+)\]\]$/.exec(segment);
  if (optional) return `{/:${optional[1]}}?`;
  if (segment.includes("][")) {
    throw invalid(path, "put a character between two parameters");
  }
  if (segment.includes("[[") || segment.includes("]]")) {
    throw invalid(path, "an optional parameter takes a whole segment");
  }
  const pattern = segment.replaceAll(/\[([^\[\]]+)\]/g, ":$1");
  if (/[\[\]]/.test(pattern)) throw invalid(path, "a bracket is not closed");
  return "/" + pattern;
}

function invalid(path: string, reason: string): SyntaxError {
  return new SyntaxError(`Invalid route "${path}": ${reason}`);
}

/**
 * Returns the folders of a pattern from the outermost, which decide the middlewares and layouts that
 * apply. Optional parts do not count.
 *
 * @param includeLast whether the last segment is a folder
 */
export function patternFolders(pattern: string, includeLast: boolean): string[] {
  if (pattern === "/" || pattern === "*" || pattern === "/*") return [];
  const segments = pattern.replaceAll(/\{[^}]*\}\??/g, "").split("/");
  if (segments[0] === "") segments.shift();
  const last = segments.pop();
  if (includeLast && last) segments.push(last);
  return segments;
}

/** Joins a base path and a pattern; `*` under a mount point means the mount point itself. */
export function joinPattern(base: string, pattern: string, mounting: boolean): string {
  const prefix = base.endsWith("*") ? base.slice(0, -1) : base;
  const root = prefix === "/" ? "" : prefix;
  if (pattern === "*") return root + (mounting ? "" : "/*");
  return root !== "" && pattern === "/" ? root : root + pattern;
}
