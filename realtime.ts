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
  type Sessions,
  type SignedInScope,
  socketLimits,
  stack,
  toHandler,
  user,
} from "@sluice/sluice";
import {
  type Audit,
  type PublicUser,
  sessionOrTicket,
  type Tickets,
  type UserStore,
} from "@sluice/sluice/auth";
import type { ChannelLayer } from "@sluice/sluice/layers";
import type { Presence } from "@sluice/sluice/presence";
import type { Log } from "@sluice/sluice/server";
import { ChatConsumer, type ChatScope } from "./consumers/chat_consumer.ts";
import { EchoConsumer } from "./consumers/echo_consumer.ts";
import { SessionsConsumer, type SessionsParts } from "./consumers/sessions_consumer.ts";
import { auditRefusals } from "./app/admin/audit.ts";
import type { Limits } from "./app/limits.ts";
import { type SessionNotices, tellNotices } from "@sluice/sluice/sessions";
import type { Settings } from "./app/settings/settings.ts";

/** The scope of every consumer here. */
type AppScope = SignedInScope & LayerScope;

/** The services that {@linkcode createRealtime} uses. */
export interface RealtimeParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly sessions: Sessions;
  readonly users: UserStore;
  readonly tickets: Tickets;
  readonly audit: Audit;
  readonly layer: ChannelLayer;
  readonly presence: Presence<PublicUser>;
  readonly limits: Limits;
  readonly notices: SessionNotices;
  readonly listSessions: SessionsParts["list"];
}

/** Creates the handler of `/ws/…`. */
export function createRealtime(parts: RealtimeParts): Handler {
  const { settings, log, audit, sessions, users, tickets, presence } = parts;
  const { notices, listSessions: list } = parts;
  const watch: SessionsParts["watch"] = (userId, changed) => notices.watch(userId, changed);
  const limits = {
    perUser: settings.socketsPerUser,
    perAddress: settings.socketsPerAddress,
    counter: parts.limits.sockets,
  };

  const application = stack()
    .use(handshakeRate(parts.limits.handshakes))
    .use(origins(settings.allowedOrigins))
    .use(sessionOrTicket({ sessions, tickets }))
    .use(user(users))
    .use(requireUser())
    .use(socketLimits(limits))
    .use(tellNotices(notices))
    .use(layer(parts.layer))
    .routes([
      route("/ws/echo", EchoConsumer),
      route(
        "/ws/chat/:room([A-Za-z0-9_-]{1,64})",
        (scope: ChatScope) => new ChatConsumer(scope, presence),
      ),
      route("/ws/sessions", (scope: AppScope) => new SessionsConsumer(scope, { list, watch })),
    ]);

  const { maxMessageBytes, messagesPerSecond, messageBurst, sendBufferBytes } = settings;
  return toHandler(application, {
    log,
    publicUrl: settings.publicUrl,
    trustProxy: settings.trustProxy,
    freshness: sessions.freshness,
    onRefusal: auditRefusals(audit),
    limits: { maxMessageBytes, messagesPerSecond, messageBurst, sendBufferBytes },
  });
}
