import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A GitHub user. */
export interface GitHubUser {
  readonly id: number;
  readonly login: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly avatar_url: string;
}

/** Our registration at GitHub. */
export interface GitHubApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Callbacks must be this URL or below it. */
  readonly callback: string;
}

interface Code {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly user: GitHubUser;
  readonly expiresAt: number;
}

/** A simulated failure. */
export type Trouble =
  | "none"
  /** Connections are dropped. */
  | "down"
  /** Requests are not answered. */
  | "slow"
  /** 503, with a page. */
  | "unavailable"
  /** 200, with an OAuth error. */
  | "error in 200"
  /** 200, with a truncated body. */
  | "not json"
  /** The user refuses. */
  | "denied";

const CODE_TTL_MS = 600_000;

/**
 * GitHub's side of a sign-in, over real HTTP on a free local port. Like GitHub, it checks: client
 * id and secret, `redirect_uri`, that a code is used once, in time, for its callback and with its
 * PKCE verifier, `Accept` and `User-Agent`.
 */
export class GitHubDouble implements AsyncDisposable {
  /** The value of `GITHUB_URL` and `GITHUB_API_URL`. */
  readonly url: string;
  readonly app: GitHubApp;
  trouble: Trouble = "none";
  /** The path prefix that fails. */
  troubleAt = "/";
  /** The user signed in at GitHub. */
  user: GitHubUser = octocat();
  /** The requests in order: method and path. */
  readonly requests: string[] = [];
  /** The query of the last authorization request. */
  authorization = new URLSearchParams();
  /** The headers of the last request of `/user`. */
  userHeaders: IncomingMessage["headers"] = {};
  now: () => number = () => Date.now();
  readonly #server: Server;
  readonly #codes = new Map<string, Code>();
  readonly #tokens = new Map<string, GitHubUser>();
  #heard: (() => void)[] = [];

  private constructor(server: Server, app: GitHubApp) {
    this.#server = server;
    this.app = app;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  /** Starts a double that knows one app. */
  static async start(app: Partial<GitHubApp> = {}): Promise<GitHubDouble> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new GitHubDouble(server, {
      clientId: "Iv1.double",
      clientSecret: "double-secret-0123456789",
      callback: "http://127.0.0.1:8000/auth/callback/github",
      ...app,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Resolves at the next request. */
  heard(): Promise<void> {
    return new Promise((resolve) => this.#heard.push(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    const heard = this.#heard;
    this.#heard = [];
    const body = await readText(request);
    for (const resolve of heard) resolve();
    if (url.pathname.startsWith(this.troubleAt) && this.#isTrouble(response)) return;
    if (url.pathname === "/login/oauth/authorize") return this.#authorize(url, response);
    if (url.pathname === "/login/oauth/access_token" && request.method === "POST") {
      return this.#exchange(request, new URLSearchParams(body), response);
    }
    if (url.pathname === "/user") return this.#readUser(request, response);
    send(response, 404, { message: "Not Found" });
  }

  #isTrouble(response: ServerResponse): boolean {
    switch (this.trouble) {
      case "none":
      case "denied":
        return false;
      case "slow":
        return true;
      case "down":
        response.socket?.destroy();
        return true;
      case "unavailable":
        response.writeHead(503, { "content-type": "text/html" }).end("<h1>Unicorn!</h1>");
        return true;
      case "error in 200":
        send(response, 200, { error: "server_error", error_description: "Something broke" });
        return true;
      case "not json":
        response.writeHead(200, { "content-type": "application/json" }).end('{"access_token":');
        return true;
    }
  }

  #authorize(url: URL, response: ServerResponse): void {
    const query = url.searchParams;
    this.authorization = query;
    const redirectUri = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== this.app.clientId) return send(response, 404, "Not Found");
    if (!isBelow(redirectUri, this.app.callback)) {
      return send(response, 400, "The redirect_uri is not associated with this application.");
    }
    const target = new URL(redirectUri);
    if (this.trouble === "denied") {
      target.searchParams.set("error", "access_denied");
      target.searchParams.set(
        "error_description",
        "The user has denied your application access.",
      );
    } else {
      const code = `double-code-${randomBytes(10).toString("hex")}`;
      const challenge = query.get("code_challenge") ?? "";
      const expiresAt = this.now() + CODE_TTL_MS;
      this.#codes.set(code, { redirectUri, challenge, user: this.user, expiresAt });
      target.searchParams.set("code", code);
    }
    target.searchParams.set("state", query.get("state") ?? "");
    response.writeHead(302, { location: target.href }).end();
  }

  #exchange(request: IncomingMessage, form: URLSearchParams, response: ServerResponse): void {
    if (!request.headers.accept?.includes("application/json")) {
      return send(response, 200, "error=accept_json_first");
    }
    const { clientId, clientSecret } = this.app;
    if (form.get("client_id") !== clientId || form.get("client_secret") !== clientSecret) {
      return send(response, 200, {
        error: "incorrect_client_credentials",
        error_description: "The client_id and/or client_secret passed are incorrect.",
      });
    }
    const code = this.#codes.get(form.get("code") ?? "");
    this.#codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (!code || code.expiresAt <= this.now() || code.challenge !== challenge) {
      return send(response, 200, {
        error: "bad_verification_code",
        error_description: "The code passed is incorrect or expired.",
      });
    }
    if (form.get("redirect_uri") !== code.redirectUri) {
      return send(response, 200, {
        error: "redirect_uri_mismatch",
        error_description: "The redirect_uri MUST match the registered callback URL.",
      });
    }
    const token = `gho_${randomBytes(18).toString("base64url")}`;
    this.#tokens.set(token, code.user);
    send(response, 200, { access_token: token, token_type: "bearer", scope: "read:user" });
  }

  #readUser(request: IncomingMessage, response: ServerResponse): void {
    this.userHeaders = request.headers;
    if (!request.headers["user-agent"]) {
      return send(response, 403, { message: "Please make sure your request has a User-Agent" });
    }
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    const user = this.#tokens.get(token ?? "");
    if (!user || scheme?.toLowerCase() !== "bearer") {
      return send(response, 401, { message: "Bad credentials" });
    }
    send(response, 200, user);
  }
}

/** Returns GitHub's mascot, with the given changes. */
export function octocat(differences: Partial<GitHubUser> = {}): GitHubUser {
  return {
    id: 583231,
    login: "octocat",
    name: "The Octocat",
    email: "octocat@github.com",
    avatar_url: "https://avatars.githubusercontent.com/u/583231?v=4",
    ...differences,
  };
}

function isBelow(address: string, registered: string): boolean {
  const url = URL.parse(address);
  const base = new URL(registered);
  return url?.origin === base.origin && url.pathname.startsWith(base.pathname);
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const json = typeof body !== "string";
  response.writeHead(status, { "content-type": json ? "application/json" : "text/plain" });
  response.end(json ? JSON.stringify(body) : body);
}
