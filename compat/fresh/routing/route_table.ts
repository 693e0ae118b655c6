/** The HTTP methods a route can be registered for. */
export type Method = "HEAD" | "GET" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS";

/** Every method, in the order in which `Allow` names them. */
export const METHODS: readonly Method[] = [
  "GET",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
];

interface Entry<T> {
  path: string;
  /** Absent where the path is compared as it is. */
  pattern?: URLPattern;
  byMethod: Map<Method, T>;
}

/** The outcome of looking up a request. */
export interface Match<T> {
  /** The pattern that matched, whatever its methods; `null` when none did. */
  route: string | null;
  params: Record<string, string>;
  /** What was registered for the method; `undefined` when nothing was. */
  item: T | undefined;
  /** Methods registered at the pattern. */
  allowed: Method[];
}

const SPECIAL = /[*:{}+?()]/;

/**
 * Finds what was registered for a path and a method. Paths without parameters win over patterns;
 * patterns are tried in the order in which they were added, and the first that matches decides.
 */
export class RouteTable<T> {
  #fixed = new Map<string, Entry<T>>();
  #patterns = new Map<string, Entry<T>>();

  /** Registers `item`; the first registration of a path and method stays. */
  add(methods: readonly Method[], path: string, item: T): void {
    const isPattern = SPECIAL.test(path);
    const entries = isPattern ? this.#patterns : this.#fixed;
    let entry = entries.get(path);
    if (entry === undefined) {
      entry = { path, byMethod: new Map() };
      if (isPattern) entry.pattern = new URLPattern({ pathname: path });
      entries.set(path, entry);
    }
    for (const method of methods) {
      if (!entry.byMethod.has(method)) entry.byMethod.set(method, item);
    }
  }

  /** Looks up a request. A `HEAD` is served by `GET` where it has no entry of its own. */
  match(method: Method, url: URL): Match<T> {
    const fixed = this.#findFixed(url.pathname);
    if (fixed !== undefined) return toMatch(fixed, method, {});
    for (const entry of this.#patterns.values()) {
      const groups = entry.pattern!.exec(url)?.pathname.groups;
      if (groups !== undefined) return toMatch(entry, method, groups);
    }
    return { route: null, params: Object.create(null), item: undefined, allowed: [] };
  }

  /** A path is found with and without a slash at its end. */
  #findFixed(pathname: string): Entry<T> | undefined {
    const exact = this.#fixed.get(pathname);
    if (exact !== undefined || pathname === "/") return exact;
    return this.#fixed.get(pathname.endsWith("/") ? pathname.slice(0, -1) : pathname + "/");
  }
}

function toMatch<T>(
  entry: Entry<T>,
  method: Method,
  groups: Record<string, string | undefined>,
): Match<T> {
  const { byMethod } = entry;
  const item = byMethod.get(method) ?? (method === "HEAD" ? byMethod.get("GET") : undefined);
  const params: Record<string, string> = Object.create(null);
  if (item !== undefined) {
    for (const [name, value] of Object.entries(groups)) params[name] = decodeParam(value ?? "");
  }
  const route = entry.pattern?.pathname ?? entry.path;
  return { route, params, item, allowed: [...byMethod.keys()] };
}

function decodeParam(value: string): string {
  try {
    return decodeURI(value);
  } catch {
    return value; // Not valid UTF-8: the handler sees what was sent.
  }
}
