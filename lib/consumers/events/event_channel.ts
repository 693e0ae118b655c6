import { CloseCode } from "../../protocol/mod.ts";
import type { AcceptOptions } from "../../core/connection.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Scope } from "../../core/scope.ts";
import type { ChannelLayer, LayerScope } from "../../layers/mod.ts";

/** What a client has posted, on its way to the process that holds its event stream. */
export interface PostedData {
  /** Proves that the client knows the id of the event stream. */
  readonly secret: string;
  /** Who has posted, and where. */
  readonly sender: string;
  /** The frames, one per line; empty for a sign of life. */
  readonly text: string;
}

/** The type of such a layer message. */
export const POSTED = "sluice.posted";

/** The prefix of the channels, so that clients cannot name any other channel. */
const PREFIX = "sluice-events";

const ID = new RegExp(`^(${PREFIX}\\.[0-9a-f]{18}![0-9a-z]{1,16})/([0-9a-f-]{36})$`);

/**
 * How long a client may post nothing, in milliseconds: at most twice as long. Clients post a sign of
 * life every 25 s, because a response does not show that its reader has vanished.
 */
const SILENCE_MS = 75_000;

/** A consumer that may have a layer. */
export interface LayeredConsumer {
  readonly scope: Scope;
  readonly layerAlias: string;
}

/** Returns the layer of a consumer, if it has one. */
export function layerOf({ scope, layerAlias }: LayeredConsumer): ChannelLayer | undefined {
  return (scope as Scope & Partial<LayerScope>).layers?.[layerAlias];
}

/**
 * Returns the options with which a consumer accepts its client: with the id of an event stream, if the
 * client asks for one instead of a socket.
 */
export function withEventStream(consumer: LayeredConsumer, options: AcceptOptions): AcceptOptions {
  const { type, method, connection } = consumer.scope;
  const isEventStream = type === "websocket" && method === "POST";
  const layer = isEventStream && connection.phase === "deciding" ? layerOf(consumer) : undefined;
  if (layer === undefined) return options;
  return { ...options, eventStream: openEventChannel(consumer.scope, layer) };
}

/**
 * Opens the channel on which an event stream gets what its client posts, in whichever process. Returns
 * the id with which the client posts.
 *
 * *Security*: the id is random and known to the client alone. A post also counts only from the session
 * and the path that opened the stream.
 */
function openEventChannel(scope: Scope, layer: ChannelLayer): string {
  const { connection } = scope;
  const channel = layer.newChannel(PREFIX);
  const secret = crypto.randomUUID();
  const owner = senderOf(scope);
  let isHeard = true;
  const deliver = (message: LayerMessage): boolean => {
    const { secret: shown, sender, text } = message.data as PostedData;
    if (shown !== secret || sender !== owner) return true; // Dropped: the sender learns nothing.
    isHeard = true;
    if (text !== "") connection.message(text);
    return true;
  };
  const watchSilence = () => {
    if (!isHeard) return connection.end(CloseCode.abnormal, "the client went silent");
    isHeard = false;
    connection.after(SILENCE_MS, watchSilence);
  };
  connection.onEnd(layer.attach(channel, { deliver }));
  watchSilence();
  return `${channel}/${secret}`;
}

/** Parses the id of an event stream. Returns undefined for anything else. */
export function parseEventStreamId(
  id: string,
): { readonly channel: string; readonly secret: string } | undefined {
  const [, channel, secret] = ID.exec(id) ?? [];
  return channel === undefined || secret === undefined ? undefined : { channel, secret };
}

/** Identifies the session, the user and the path of a request. */
export function senderOf(scope: Scope): string {
  const { session, user, path } = scope as Scope & {
    readonly session?: { readonly id: string };
    readonly user?: { readonly id: string };
  };
  return JSON.stringify([session?.id, user?.id, path]);
}
