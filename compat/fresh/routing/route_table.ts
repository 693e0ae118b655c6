/** The HTTP methods of routes. */
export type Method = "HEAD" | "GET" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS";

/** All methods, in the order of `Allow`. */
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
  /** Absent if the path is compared literally. */
  pattern?: URLPattern;
  byMethod: Map<Method, T>;
}

/** The result of a lookup. */
export interface Match<T> {
  /** The matching pattern, for any method, or `null`. */
  route: string | null;
  params: Record<string, string>;
  /** The item registered for the method, or `undefined`. */
  item: T | undefined;
  /** Methods registered at the pattern. */
  allowed: Method[];
}

const SPECIAL = /[*:{}+?()]/;

/**
 * Finds the item that is registered for a path and a method. Paths without parameters win over
 * patterns. Patterns are tried in the order of registration, and the first match decides.
 */
export class RouteTable<T> {
  #fixed = new Map<string, Entry<T>>();
  #patterns = new Map<string, Entry<T>>();

  /** Registers `item`; the first registration of a path and method wins. */
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

  /** Looks up a request. `HEAD` falls back to `GET`. */
  match(method: Method, url: URL): Match<T> {
    const fixed = this.#findFixed(url.pathname);
    if (fixed !== undefined) return toMatch(fixed, method, {});
    for (const entry of this.#patterns.values()) {
      const groups = entry.pattern!.exec(url)?.pathname.groups;
      if (groups !== undefined) return toMatch(entry, method, groups);
    }
    return { route: null, params: Object.create(null), item: undefined, allowed: [] };
  }

  /** Matches a path with and without a trailing slash. */
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
    return value; // Invalid UTF-8: the handler gets the raw value.
  }
}
