import { RESERVED_TYPES } from "./frames.ts";
import { MAX_TYPE_LENGTH } from "./limits.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";

/** A type without a check, for what only the server sends: see {@linkcode type}. */
export interface TypeOnly<T> {
  readonly "~type"?: T;
}

/**
 * Declares the type of a message that needs no check, as only the server writes it.
 *
 * @example
 * ```ts
 * import { type } from "@sluice/sluice/protocol";
 *
 * const said = type<{ text: string }>();
 * ```
 */
export function type<T>(): TypeOnly<T> {
  return {};
}

/** A message that clients send: how its data is checked, and what its reply holds. */
export interface ClientMessage {
  readonly data: Schema;
  readonly reply?: TypeOnly<unknown> | Schema;
}

/** What the message `gap` tells a client: when messages of others may have been missed, as ISO 8601. */
export interface GapData {
  readonly since: string;
  readonly until: string;
}

/** The messages of one consumer, both ways. */
export interface Messages {
  readonly client: Readonly<Record<string, ClientMessage>>;
  /** `gap` is sent by a `JsonConsumer` itself, after a gap of its layer. */
  readonly server:
    & Readonly<Record<string, TypeOnly<unknown> | Schema>>
    & { readonly gap?: TypeOnly<GapData> };
  /** What consumers tell each other through groups, and no client sees. */
  readonly layer?: Readonly<Record<string, TypeOnly<unknown> | Schema>>;
}

/** The types of message that a client sends. */
export type ClientType<M extends Messages> = keyof M["client"] & string;

/** The types of message that the server sends. */
export type ServerType<M extends Messages> = keyof M["server"] & string;

/** The types of message that consumers send each other. */
export type LayerType<M extends Messages> = M extends { readonly layer: infer L } ? keyof L & string
  : never;

/** What a message of type `T` between consumers holds. */
export type LayerData<M extends Messages, T extends LayerType<M>> = M extends
  { readonly layer: infer L } ? T extends keyof L ? Declared<L[T]> : never : never;

/** What a client puts into a message of type `T`. */
export type ClientInput<M extends Messages, T extends ClientType<M>> = SchemaInput<
  M["client"][T]["data"]
>;

/** What a handler gets of a message of type `T`, checked. */
export type ClientData<M extends Messages, T extends ClientType<M>> = SchemaOutput<
  M["client"][T]["data"]
>;

/** What the reply to a message of type `T` holds. */
export type ReplyData<M extends Messages, T extends ClientType<M>> = M["client"][T] extends
  { readonly reply: infer R } ? Declared<R> : undefined;

/** What a message of type `T` from the server holds. */
export type ServerData<M extends Messages, T extends ServerType<M>> = Declared<M["server"][T]>;

type Declared<D> = D extends Schema<infer _, infer Output> ? Output
  : D extends TypeOnly<infer T> ? T
  : never;

/**
 * Declares the messages of a consumer once; the types of its handlers and of its clients, and the
 * check at the edge, follow from it.
 *
 * @throws {RangeError} A type is empty, longer than 64 characters, or one of the protocol's own.
 *
 * @example
 * ```ts
 * import { defineMessages, type } from "@sluice/sluice/protocol";
 * import * as v from "valibot";
 *
 * const messages = defineMessages({
 *   client: { say: { data: v.object({ text: v.string() }), reply: type<{ id: string }>() } },
 *   server: { said: type<{ text: string }>() },
 * });
 * ```
 */
export function defineMessages<const M extends Messages>(messages: M): M {
  const { client, server, layer = {} } = messages;
  for (const name of [client, server, layer].flatMap(Object.keys)) {
    if (name.length === 0 || name.length > MAX_TYPE_LENGTH || RESERVED_TYPES.includes(name)) {
      throw new RangeError(
        `Cannot declare the message "${name}": a type has 1 to ${MAX_TYPE_LENGTH} characters ` +
          `and is none of ${RESERVED_TYPES.join(", ")}`,
      );
    }
  }
  return messages;
}
