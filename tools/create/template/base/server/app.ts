/** The application: sessions, sign-in, sockets and pages. */
import {
  type Handler,
  layer,
  origins,
  requireUser,
  route,
  session,
  socketLimits,
  stack,
  toHandler,
  user,
} from "@sluice/sluice";
import { answerSignIn, KvUserStore, type Provider, SignIn } from "@sluice/sluice/auth";
import type { KeyValue } from "@sluice/sluice/kv";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { type HandlerOptions, type Log, resolvePeer } from "@sluice/sluice/server";
import { createSessions } from "@sluice/sluice/sessions";
import { KvStreamStore, streams } from "@sluice/sluice/streams";
import { ChatConsumer } from "./chat.ts";
import { findPage } from "./pages.ts";

export interface AppParts {
  /** Sessions, users and messages are kept here. */
  readonly kv: KeyValue;
  /** Carries messages between sockets, and between processes. */
  readonly channels: ChannelLayer;
  readonly providers: readonly Provider[];
  readonly log: Log;
  /** The public URL, and whether a proxy is trusted. */
  readonly site?: Pick<HandlerOptions, "publicUrl" | "trustProxy">;
}

export interface App {
  readonly handle: (request: Request, info: Parameters<Handler>[1]) => Promise<Response>;
  readonly realtime: Handler;
  readonly close: () => Promise<void>;
}

export function createApp({ kv, channels, providers, log, site = {} }: AppParts): App {
  const { sessions, controlLog, close } = createSessions(kv, { layer: channels, log });
  const users = new KvUserStore(kv, { controlLog });
  const signIn = new SignIn({ providers, users, sessions }, { kv, log });

  // Every request for a socket passes these checks, from top to bottom.
  const realtime = toHandler(
    stack()
      .use(origins()) // The page is one of this site.
      .use(session(sessions)) // There is a session, and the socket ends with it.
      .use(user(users))
      .use(requireUser())
      .use(socketLimits({ perUser: 20, perAddress: 200 }))
      .use(layer(channels))
      .use(streams(new KvStreamStore(kv)))
      .routes([route("/ws/chat/:room{slug}", ChatConsumer)]),
    { ...site, log, freshness: sessions.freshness },
  );

  async function handle(request: Request, info: Parameters<Handler>[1]): Promise<Response> {
    const peer = resolvePeer(request, info, site);
    if (peer.url.pathname.startsWith("/ws/")) return await realtime(request, info);
    return await answerSignIn(signIn, request, peer) ?? await findPage(request, peer.url);
  }

  return { handle, realtime, close };
}
