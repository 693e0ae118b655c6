/**
 * Decides which user may open which socket, and which consumer serves it. Read the stack from top
 * to bottom.
 *
 * @module
 */
import {
  type Handler,
  handshakeRate,
  layer,
  type LayerScope,
  origins,
  requireUser,
  route,
  type SignedInScope,
  socketLimits,
  stack,
  toHandler,
  user,
} from "@sluice/sluice";
import { sessionOrTicket } from "@sluice/sluice/auth";
import { streamDoor, streams, type StreamScope } from "@sluice/sluice/streams";
import { auditRefusals } from "./app/admin/audit.ts";
import { tellNotices } from "./app/auth/session_notices.ts";
import { listSessions } from "./app/auth/sessions.ts";
import type { Services } from "./app/services.ts";
import { ChatConsumer, type ChatScope } from "./consumers/chat_consumer.ts";
import { EchoConsumer } from "./consumers/echo_consumer.ts";
import { SessionsConsumer, type SessionsParts } from "./consumers/sessions_consumer.ts";

/** The scope of every consumer here. */
type AppScope = SignedInScope & LayerScope & StreamScope;

/**
 * Creates the handler of `/ws/…` and `/streams/…`.
 *
 * @throws {TypeError} The stack has no origin check, or does not require a user.
 */
export function createRealtime(services: Services): Handler {
  const { settings, sessions, users, tickets, presence, notices } = services;
  const limits = {
    perUser: settings.socketsPerUser,
    perAddress: settings.socketsPerAddress,
    counter: services.limits.sockets,
  };
  const sessionsPage: SessionsParts = {
    list: (identity) => listSessions(services, identity),
    watch: (userId, changed) => notices.watch(userId, changed),
  };

  const chat = (scope: ChatScope) => new ChatConsumer(scope, presence);

  const application = stack()
    .use(handshakeRate(services.limits.handshakes))
    .use(origins(settings.allowedOrigins))
    .use(sessionOrTicket({ sessions, tickets }))
    .use(user(users))
    .use(requireUser())
    .use(socketLimits(limits))
    .use(tellNotices(notices))
    .use(layer(services.layer))
    .use(streams(services.streamStore))
    .routes([
      route("/ws/echo", EchoConsumer),
      route("/ws/chat/:room([A-Za-z0-9_-]{1,64})", chat),
      route("/streams/chat/:room([A-Za-z0-9_-]{1,64})", streamDoor(chat, "room")),
      route("/ws/sessions", (scope: AppScope) => new SessionsConsumer(scope, sessionsPage)),
    ]);

  const { maxMessageBytes, messagesPerSecond, messageBurst, sendBufferBytes } = settings;
  return toHandler(application, {
    log: services.log,
    publicUrl: settings.publicUrl,
    trustProxy: settings.trustProxy,
    freshness: sessions.freshness,
    onRefusal: auditRefusals(services.audit),
    limits: { maxMessageBytes, messagesPerSecond, messageBurst, sendBufferBytes },
  });
}
