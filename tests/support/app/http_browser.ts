import { parseCookies } from "../../../lib/core/request_values.ts";

/** Sends requests as a browser does, with its cookies. */
export class HttpBrowser {
  readonly #fetch: (request: Request) => Promise<Response>;
  /** The origin of the site. */
  readonly origin: string;
  readonly cookies: Map<string, string> = new Map();

  constructor(fetch: (request: Request) => Promise<Response>, origin: string) {
    this.#fetch = fetch;
    this.origin = origin;
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Sends one request without following redirects. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) headers.set("cookie", this.cookieHeader);
    const request = new Request(new URL(path, this.origin), {
      redirect: "manual",
      ...init,
      headers,
    });
    const response = await this.#fetch(request);
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  /** Sends a request and follows redirects on this site. */
  async visit(path: string): Promise<Response> {
    let response = await this.request(path);
    for (let hops = 0; hops < 20 && isRedirect(response); hops++) {
      await response.body?.cancel();
      response = await this.request(response.headers.get("location")!);
    }
    return response;
  }

  /** Signs in through the development provider. */
  async signIn(login: string): Promise<void> {
    const response = await this.visit(
      `/auth/signin?provider=dev&login_hint=${login}&return_to=/api/me`,
    );
    if (response.status !== 200) throw new Error(`Sign-in ended with ${response.status}`);
    await response.body?.cancel();
  }

  #keep(cookie: string): void {
    const [pair = "", ...attributes] = cookie.split(";");
    const [[name, value] = ["", ""]] = parseCookies(pair);
    const isOver = attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute));
    if (isOver || value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

function isRedirect(response: Response): boolean {
  return [301, 302, 303, 307].includes(response.status);
}
