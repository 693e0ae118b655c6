/**
 * Sluice: WebSockets that belong to a signed-in user and close when the session ends.
 *
 * This is the front door: what a first program needs. The rest is behind one export for each part,
 * such as `@sluice/sluice/auth` (sign-in), `@sluice/sluice/client` (browsers) and
 * `@sluice/sluice/layers/redis` (several machines).
 *
 * A **consumer** serves one socket. A **stack** is the list of checks that a request passes before it
 * becomes a socket, from top to bottom. {@linkcode toHandler} turns the stack into a function that
 * answers requests. A missing or misplaced check does not compile, and `toHandler()` throws if the
 * stack checks no origin, or leaves open who may connect.
 *
 * ## A chat for signed-in users
 *
 * Messages are declared once. What clients send is validated; what the server sends needs a type only.
 * A consumer has a handler for each client message, joins its groups, and sends to them. Users who are
 * not signed in are refused with 401 before the upgrade, and a socket ends with its session.
 *
 * ```ts
 * import {
 *   defineMessages,
 *   type HandlersOf,
 *   JsonConsumer,
 *   layer,
 *   type LayerScope,
 *   MemoryChannelLayer,
 *   MemorySessionStore,
 *   MemoryUserStore,
 *   origins,
 *   requireUser,
 *   route,
 *   session,
 *   Sessions,
 *   type SignedInScope,
 *   stack,
 *   toHandler,
 *   unchecked,
 *   user,
 * } from "@sluice/sluice";
 * import * as v from "valibot"; // or any other library with Standard Schema
 * import assert from "node:assert/strict";
 *
 * const messages = defineMessages({
 *   client: { say: { data: v.object({ text: v.pipe(v.string(), v.maxLength(500)) }) } },
 *   server: { said: unchecked<{ readonly from: string; readonly text: string }>() },
 * });
 *
 * class ChatConsumer extends JsonConsumer<typeof messages, SignedInScope & LayerScope> {
 *   readonly messages = messages;
 *   readonly handlers = handlers;
 *
 *   override get groups(): readonly string[] {
 *     return [`chat.${this.scope.params.room}`];
 *   }
 * }
 *
 * const handlers: HandlersOf<ChatConsumer> = {
 *   async say({ text }) {
 *     const from = this.scope.user.name;
 *     await this.groupSend(this.groups[0]!, { type: "said", data: { from, text } });
 *   },
 * };
 *
 * const sessions = new Sessions(new MemorySessionStore());
 * const handler = toHandler(
 *   stack()
 *     .use(origins()) // refuses pages of other sites
 *     .use(session(sessions)) // finds the session of the cookie
 *     .use(user(new MemoryUserStore())) // finds its user
 *     .use(requireUser()) // refuses everybody else
 *     .use(layer(new MemoryChannelLayer())) // carries messages between sockets
 *     .routes([route("/ws/chat/:room{slug}", ChatConsumer)]),
 * );
 *
 * // `Deno.serve(handler)` serves it; `serve()` of `@sluice/sluice/deno` also drains at a signal.
 * const headers = { "sec-fetch-site": "same-origin" };
 * const response = await handler(new Request("http://127.0.0.1/ws/chat/lobby", { headers }));
 * assert.equal(response.status, 401);
 * ```
 *
 * An application that has users and sessions already uses {@linkcode ExternalSessions} instead of
 * {@linkcode Sessions} and {@linkcode user}.
 *
 * ## Where things are
 *
 * | export | what it is for |
 * | --- | --- |
 * | `@sluice/sluice/deno` | serves a handler, and drains at a signal |
 * | `@sluice/sluice/client` | connects from a page or a program, typed, and reconnects |
 * | `@sluice/sluice/auth` | sign-in with GitHub or OpenID Connect, users, tickets, the audit log |
 * | `@sluice/sluice/auth/dev` | a sign-in for development |
 * | `@sluice/sluice/sessions` | stores of sessions, cookies, sign-outs in other processes |
 * | `@sluice/sluice/layers`, `/layers/kv`, `/layers/redis` | messages between processes |
 * | `@sluice/sluice/presence` | who is in a group |
 * | `@sluice/sluice/workers` | jobs in other processes |
 * | `@sluice/sluice/testing` | tests without a network, and a clock that tests control |
 * | `@sluice/sluice/protocol` | frames, codes and message declarations; imports nothing |
 * | `@sluice/sluice/routing`, `/security`, `/consumers`, `/server` | the parts of the stack |
 *
 * An export holds the whole of its part, and repeats what the front door has. No name has two meanings.
 *
 * @module
 */
export {
  allowAnonymous,
  requireUser,
  type SignedInScope,
  user,
  type UserScope,
} from "./auth/with_user.ts";
export { MemoryUserStore } from "./auth/users/memory_user_store.ts";
export { Consumer } from "./consumers/consumer.ts";
export type { EventHandlersOf, HandlersOf } from "./consumers/handlers.ts";
export { HttpConsumer } from "./consumers/http_consumer.ts";
export { JsonConsumer } from "./consumers/json_consumer.ts";
export type { LayerMessage } from "./core/consumer.ts";
export type { Application, AudienceScope, Middleware, OriginScope, Scope } from "./core/scope.ts";
export { MemoryChannelLayer } from "./layers/memory_channel_layer.ts";
export { layer, type LayerScope } from "./layers/with_layer.ts";
export { CloseCode } from "./protocol/close_codes.ts";
export { FrameError } from "./protocol/errors.ts";
export { defineMessages, unchecked } from "./protocol/messages.ts";
export { Refusal } from "./protocol/refusal.ts";
export { route, router } from "./routing/router.ts";
export { stack } from "./routing/stack.ts";
export { socketLimits } from "./security/socket_limits.ts";
export { handshakeRate } from "./security/rate_limiter.ts";
export { anyOrigin, origins } from "./security/with_origins.ts";
export type { Handler } from "./server/handler.ts";
export { toHandler } from "./server/to_handler.ts";
export { ExternalSessions } from "./sessions/external/external_sessions.ts";
export { MemorySessionStore } from "./sessions/memory_session_store.ts";
export { Sessions } from "./sessions/sessions.ts";
export { session, type SessionScope } from "./sessions/with_session.ts";
