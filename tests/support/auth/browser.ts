import assert from "node:assert/strict";
import { parseCookies } from "../../../lib/core/request_values.ts";

/** A server's handler. */
export type Handler = (request: Request) => Promise<Response> | Response;

/** A browser with cookies and redirects, like `curl -L -c jar -b jar`, over handlers. */
export class Browser {
  /** By host, path and name. */
  readonly #jar = new Map<string, { value: string; host: string; path: string; name: string }>();
  readonly #handler: Handler;
  /** The URLs of the last navigation, in order. */
  readonly visited: string[] = [];

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  /** Returns the cookies of a request to `address`. */
  cookies(address: string): string {
    const { hostname, pathname } = new URL(address);
    const fitting = [...this.#jar.values()].filter((cookie) =>
      cookie.host === hostname && isBelow(pathname, cookie.path)
    );
    fitting.sort((a, b) => b.path.length - a.path.length);
    return fitting.map((cookie) => `${cookie.name}=${cookie.value}`).join("; ");
  }

  cookie(address: string, name: string): string | undefined {
    return parseCookies(this.cookies(address)).get(name);
  }

  setCookie(address: string, name: string, value: string): void {
    this.#store(address, `${name}=${value}; Path=/`);
  }

  /** Makes one request without following redirects. */
  async request(address: string, init: RequestInit = {}): Promise<Response> {
    const request = new Request(address, { redirect: "manual", ...init });
    const cookies = this.cookies(address);
    if (cookies !== "") request.headers.set("cookie", cookies);
    const response = await this.#handler(request);
    for (const cookie of response.headers.getSetCookie()) this.#store(address, cookie);
    return response;
  }

  /** Makes a request and follows at most 20 redirects, until `stop` is reached. */
  async visit(
    address: string,
    init: RequestInit = {},
    stop: (next: URL) => boolean = () => false,
  ): Promise<{ url: string; response: Response }> {
    this.visited.length = 0;
    let url = address;
    for (let hop = 0; hop < 20; hop++) {
      this.visited.push(url);
      const response = await this.request(url, hop === 0 ? init : {});
      const location = response.headers.get("location");
      if (location === null) return { url, response };
      const next = new URL(location, url);
      if (stop(next)) return { url: next.href, response };
      url = next.href;
    }
    assert.fail(`too many redirects: ${this.visited.join(" ")}`);
  }

  #store(address: string, header: string): void {
    const [pair = "", ...attributes] = header.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const of = (name: string) =>
      attributes.find((each) => each.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
    const { hostname } = new URL(address);
    const cookie = {
      host: hostname,
      path: of("path") ?? "/",
      name: pair.slice(0, at),
      value: pair.slice(at + 1),
    };
    const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
    const expires = Date.parse(of("expires") ?? "");
    if (of("max-age") === "0" || expires < Date.now() || cookie.value === "") this.#jar.delete(key);
    else this.#jar.set(key, cookie);
  }
}

function isBelow(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.replace(/\/?$/, "/"));
}
