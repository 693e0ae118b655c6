/** Stacks that would open sockets for other sites or anonymous clients are rejected. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Application, Scope } from "@sluice/sluice";
import { allowAnonymous, MemoryUserStore, requireUser, user } from "@sluice/sluice/auth";
import { withUser } from "../../lib/auth/with_user.ts";
import { Consumer } from "@sluice/sluice/consumers";
import { layer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { protocolRouter, route, router, stack, withRootPath } from "@sluice/sluice/routing";
import {
  anyOrigin,
  handshakeRate,
  origins,
  RateLimiter,
  socketLimits,
} from "@sluice/sluice/security";
import { withOrigins } from "../../lib/security/with_origins.ts";
import { toHandler } from "@sluice/sluice/server";
import { MemorySessionStore, session, Sessions } from "@sluice/sluice/sessions";
import { withSession } from "../../lib/sessions/with_session.ts";

class Echo extends Consumer {}

const sessions = new Sessions(new MemorySessionStore(), { log: console });
const users = new MemoryUserStore();
const echo = [route("/", Echo)];

/** As a build without a type check would run it. */
const untyped = (application: unknown) => () => toHandler(application as Application<Scope>);
// deno-lint-ignore no-explicit-any -- A stack without a type check.
const unchecked = () => stack() as any;

const signedIn = () =>
  stack().use(origins()).use(session(sessions)).use(user(users)).use(requireUser());

/** Middleware of an application. */
function logged<S extends Scope>(next: Application<S>): Application<S> {
  return (scope) => next(scope);
}

const COMPLETE: Record<string, () => Application<Scope>> = {
  "origins and requireUser": () => signedIn().routes(echo),
  "middleware around and inside": () =>
    stack()
      .use(handshakeRate(new RateLimiter({ perMinute: 60 })))
      .use(origins()).use(session(sessions)).use(user(users)).use(requireUser())
      .use(socketLimits()).use(layer(new MemoryChannelLayer())).routes(echo),
  "middleware of its own": () =>
    stack().use(logged).use(anyOrigin()).use(allowAnonymous()).use(logged).routes(echo),
  "anyOrigin and allowAnonymous": () => stack().use(anyOrigin()).use(allowAnonymous()).routes(echo),
  "nested functions": () =>
    withOrigins([], withSession(sessions, withUser(users, requireUser(router(echo))))),
  "a root path": () => withRootPath("/live", signedIn().routes(echo)),
  "a router of complete stacks": () =>
    router<Scope>([route("/a/*", signedIn().routes(echo)), route("/b/*", signedIn().routes(echo))]),
  "a protocol router of complete stacks": () =>
    protocolRouter<Scope>({ websocket: signedIn().routes(echo), http: signedIn().routes(echo) }),
};

const INCOMPLETE: Record<string, [why: RegExp, make: () => unknown]> = {
  "a bare router": [/no origin.*origins\(/, () => router(echo)],
  "a router without routes": [/no origin/, () => router([])],
  "no origin check": [
    /no origin.*anyOrigin\(\)/,
    () => unchecked().use(session(sessions)).use(user(users)).use(requireUser()).routes(echo),
  ],
  "no requireUser": [
    /anonymous.*requireUser\(\).*allowAnonymous\(\)/,
    () => stack().use(origins()).use(session(sessions)).use(user(users)).routes(echo),
  ],
  "neither session nor requireUser": [/anonymous/, () => stack().use(origins()).routes(echo)],
  "origins below session": [
    /session before.*above/,
    () =>
      unchecked().use(session(sessions)).use(origins()).use(user(users)).use(requireUser())
        .routes(echo),
  ],
  "nested functions without origins": [
    /no origin/,
    () => withSession(sessions, withUser(users, requireUser(router(echo)))),
  ],
  "a router with one open route": [
    /no origin/,
    () => router<Scope>([route("/a/*", signedIn().routes(echo)), route("/b", Echo)]),
  ],
  "a protocol router with one open side": [
    /no origin/,
    () => protocolRouter<Scope>({ websocket: router(echo), http: signedIn().routes(echo) }),
  ],
  "a function of its own": [/no origin/, () => (scope: Scope) => new Echo(scope)],
};

for (const [name, make] of Object.entries(COMPLETE)) {
  test(`toHandler() builds a handler of a complete stack: ${name}`, async () => {
    const headers = { origin: "http://127.0.0.1" };
    const answer = await toHandler(make())(new Request("http://127.0.0.1/nowhere", { headers }));
    assert.ok([401, 404].includes(answer.status), String(answer.status));
  });
}

for (const [name, [why, make]] of Object.entries(INCOMPLETE)) {
  test(`toHandler() throws for an incomplete stack: ${name}`, () => {
    assert.throws(
      untyped(make()),
      (error) => error instanceof TypeError && why.test(error.message),
    );
  });
}
