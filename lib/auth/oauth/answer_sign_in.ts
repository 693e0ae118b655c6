import { leaveBody } from "../../core/read_body.ts";
import { escapeHtml, plainPage } from "../_plain_page.ts";
import { SignInError } from "../errors.ts";
import { isFromAnotherSite } from "./_navigation.ts";
import type { SignIn } from "./sign_in.ts";
import type { SignInRequest } from "./sign_in_request.ts";

const CALLBACK = /^\/auth\/callback\/([^/]+)$/;

/**
 * Answers the requests of a sign-in: `GET /auth/signin`, `GET /auth/callback/PROVIDER`,
 * `POST /auth/signout`, and the pages of a `DevProvider`. Returns undefined for every other path. A
 * failure becomes a small page with a link to try again.
 *
 * Without it, an application calls `begin()`, `finish()` and `signOut()` in routes of its own.
 *
 * *Security*: a sign-out that a page of another site requests is refused with 403.
 *
 * @param peer What `resolvePeer()` of `@sluice/sluice/server` returns for the request.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { answerSignIn, GitHubProvider, SignIn } from "@sluice/sluice/auth";
 * import { resolvePeer } from "@sluice/sluice/server";
 * import assert from "node:assert/strict";
 *
 * const signIn = new SignIn({
 *   providers: [new GitHubProvider({ clientId: "id", clientSecret: "secret" })],
 *   users: new MemoryUserStore(),
 *   sessions: new Sessions(new MemorySessionStore()),
 * });
 *
 * async function handle(request: Request): Promise<Response> {
 *   const answer = await answerSignIn(signIn, request, resolvePeer(request, undefined));
 *   return answer ?? new Response("a page");
 * }
 *
 * const ask = (path: string) => handle(new Request(`https://app.example.com${path}`));
 * assert.equal((await ask("/auth/signin")).status, 302);
 * assert.equal((await ask("/auth/callback/github")).status, 400);
 * assert.equal((await ask("/auth/signout")).status, 405);
 * assert.equal(await (await ask("/")).text(), "a page");
 * ```
 */
export async function answerSignIn(
  signIn: SignIn,
  request: Request,
  peer: { readonly url: URL; readonly address: string },
): Promise<Response | undefined> {
  const asked: SignInRequest = { ...peer, headers: request.headers };
  const { pathname } = peer.url;
  try {
    if (pathname === "/auth/signin") return await get(request, () => signIn.begin(asked));
    const [, provider] = CALLBACK.exec(pathname) ?? [];
    if (provider !== undefined) {
      return await get(request, () => signIn.finish(asked, provider));
    }
    if (pathname === "/auth/signout") return await signOut(signIn, request, asked);
    for (const provider of signIn.providers) {
      const response = await provider.answer?.(request, peer);
      if (response !== undefined) return response;
    }
    return undefined;
  } catch (error) {
    if (error instanceof SignInError) return failurePage(error);
    throw error;
  }
}

function get(request: Request, answer: () => Promise<Response>): Promise<Response> | Response {
  return request.method === "GET" ? answer() : notAllowed(request, "GET");
}

async function signOut(
  signIn: SignIn,
  request: Request,
  asked: SignInRequest,
): Promise<Response> {
  if (request.method !== "POST") return notAllowed(request, "POST");
  leaveBody(request);
  const origin = request.headers.get("origin") ?? asked.url.origin;
  if (isFromAnotherSite(request.headers) || origin !== asked.url.origin) {
    return problemPage(403, "A page of another site asked to sign you out", "/");
  }
  return await signIn.signOut(asked);
}

function notAllowed(request: Request, allow: string): Response {
  leaveBody(request);
  return problemPage(405, `This address accepts ${allow} only`, "/", { allow });
}

function failurePage({ status, message, provider, returnTo, retryAfterSeconds }: SignInError) {
  const query = new URLSearchParams();
  if (provider !== undefined) query.set("provider", provider);
  if (returnTo !== undefined) query.set("return_to", returnTo);
  const headers: HeadersInit = retryAfterSeconds === undefined
    ? {}
    : { "retry-after": String(Math.max(1, Math.ceil(retryAfterSeconds))) };
  return problemPage(status, message, `/auth/signin?${query}`, headers);
}

function problemPage(
  status: number,
  message: string,
  href: string,
  headers: HeadersInit = {},
): Response {
  const label = href === "/" ? "Home page" : "Try again";
  const content = `<h1>That did not work</h1><p role="alert">${escapeHtml(message)}.</p>
<p><a href="${escapeHtml(href)}">${label}</a></p>`;
  return plainPage(status, content, { title: "Sign-in", headers });
}
