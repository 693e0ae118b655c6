/**
 * Who may open which socket, and what serves it: read it from the outside in.
 *
 * @module
 */
import type { Application, Log, Scope } from "@sluice/sluice";
import {
  type Audit,
  type PublicUser,
  requireUser,
  type SignedInScope,
  type Tickets,
  type UserStore,
  withTickets,
  withUser,
} from "@sluice/sluice/auth";
import { type ChannelLayer, type LayerScope, withLayer } from "@sluice/sluice/layers";
import type { Presence } from "@sluice/sluice/presence";
import { route, router } from "@sluice/sluice/routing";
import { withHandshakeRate, withOrigins, withSocketLimits } from "@sluice/sluice/security";
import { type Handler, toHandler } from "@sluice/sluice/server";
import type { Sessions } from "@sluice/sluice/sessions";
import { ChatConsumer, type ChatScope } from "./consumers/chat_consumer.ts";
import { EchoConsumer } from "./consumers/echo_consumer.ts";
import { SessionsConsumer, type SessionsParts } from "./consumers/sessions_consumer.ts";
import { auditRefusals } from "./app/audit.ts";
import type { Limits } from "./app/limits.ts";
import { type SessionNotices, withNotices } from "./app/session_notices.ts";
import type { Settings } from "./app/settings.ts";

/** What every consumer here knows of its connection. */
type AppScope = SignedInScope & LayerScope;

/** What the gate is made of. */
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

/** Creates what answers `/ws/…`. */
export function createRealtime(parts: RealtimeParts): Handler {
  const { settings, log, audit, sessions, users, tickets, layer, presence } = parts;
  const { notices, listSessions: list } = parts;
  const watch: SessionsParts["watch"] = (userId, changed) => notices.watch(userId, changed);
  const limits = {
    perUser: settings.socketsPerUser,
    perAddress: settings.socketsPerAddress,
    counter: parts.limits.sockets,
  };

  const routes = router<AppScope>([
    route("/ws/echo", EchoConsumer),
    route(
      "/ws/chat/:room([A-Za-z0-9_-]{1,64})",
      (scope: ChatScope) => new ChatConsumer(scope, presence),
    ),
    route("/ws/sessions", (scope: AppScope) => new SessionsConsumer(scope, { list, watch })),
  ]);

  const stack: Application<Scope> = withHandshakeRate(
    parts.limits.handshakes,
    withOrigins(
      settings.allowedOrigins,
      withTickets(
        tickets,
        sessions,
        withUser(
          users,
          requireUser(
            withSocketLimits(limits, withNotices(notices, withLayer(layer, routes))),
          ),
        ),
      ),
    ),
  );

  const { maxMessageBytes, messagesPerSecond, messageBurst, sendBufferBytes } = settings;
  return toHandler(stack, {
    log,
    publicUrl: settings.publicUrl,
    trustProxy: settings.trustProxy,
    freshness: sessions.freshness,
    onRefusal: auditRefusals(audit),
    limits: { maxMessageBytes, messagesPerSecond, messageBurst, sendBufferBytes },
  });
}
