import { RESERVED_TYPES } from "./frames.ts";
import { MAX_TYPE_LENGTH } from "./limits.ts";
import type { Schema } from "./schema.ts";

/**
 * A type without a schema, for messages that only the server sends: see {@linkcode unchecked}.
 *
 * @internal
 */
export interface Unchecked<T> {
  /** Never present; carries the type. */
  readonly "~type"?: T;
}

/**
 * Declares the type of a message that needs no check because only the server creates it.
 *
 * @example
 * ```ts
 * import { unchecked } from "@sluice/sluice";
 *
 * const said = unchecked<{ text: string }>();
 * ```
 */
export function unchecked<T>(): Unchecked<T> {
  return {};
}

/**
 * The data of the message `gap`: when messages may have been missed, as ISO 8601.
 *
 * @internal
 */
export interface GapData {
  /** When the gap began. */
  readonly since: string;
  /** When messages arrived again. */
  readonly until: string;
}

/** The messages of one consumer in both directions. */
export interface Messages {
  /** Messages that clients send, by type. */
  readonly client: Readonly<
    Record<string, {
      /** Validates the data. */
      readonly data: Schema;
      /** The type of the reply, if there is one. */
      readonly reply?: Unchecked<unknown> | Schema;
      /**
       * The stream to which the handler appends one message, if that is its whole effect. A command with a
       * `key` then takes effect once even if the process dies in the middle: the key and the reply are
       * stored together with the message.
       */
      readonly appends?: string;
    }>
  >;
  /** A `JsonConsumer` sends `gap` by itself after a gap of its layer. */
  readonly server:
    & Readonly<Record<string, Unchecked<unknown> | Schema>>
    & { readonly gap?: Unchecked<GapData> };
  /** Messages between consumers, sent through groups and never to a client. */
  readonly layer?: Readonly<Record<string, Unchecked<unknown> | Schema>>;
}

/**
 * The types of client messages.
 *
 * @internal
 */
export type ClientType<M extends Messages> = keyof M["client"] & string;

/**
 * The types of server messages.
 *
 * @internal
 */
export type ServerType<M extends Messages> = keyof M["server"] & string;

/**
 * The types of messages between consumers.
 *
 * @internal
 */
export type LayerType<M extends Messages> = M extends { readonly layer: infer L } ? keyof L & string
  : never;

/**
 * The data of a message of type `T` between consumers.
 *
 * @internal
 */
export type LayerData<M extends Messages, T extends LayerType<M>> = M extends
  { readonly layer: infer L } ? T extends keyof L ? MessageData<L[T]> : never : never;

/**
 * The data that a client passes for a message of type `T`.
 *
 * @internal
 */
export type ClientInput<M extends Messages, T extends keyof M["client"] & string> =
  M["client"][T]["data"] extends Schema<infer Input, infer _> ? Input : never;

/**
 * The checked data that a handler receives for a message of type `T`.
 *
 * @internal
 */
export type ClientData<M extends Messages, T extends ClientType<M>> = M["client"][T]["data"] extends
  Schema<infer _, infer Output> ? Output : never;

/**
 * The data of the reply to a message of type `T`.
 *
 * @internal
 */
export type ReplyData<M extends Messages, T extends ClientType<M>> = M["client"][T] extends
  { readonly reply: infer R } ? MessageData<R> : undefined;

/** The data of a server message of type `T`. */
export type ServerData<M extends Messages, T extends keyof M["server"] & string> =
  M["server"][T] extends Schema<infer _, infer Output> ? Output
    : M["server"][T] extends Unchecked<infer Data> ? Data
    : never;

/**
 * The data that a declaration stands for: a schema, or a type of `unchecked()`.
 *
 * @internal
 */
export type MessageData<D> = D extends Schema<infer _, infer Output> ? Output
  : D extends Unchecked<infer T> ? T
  : never;

/**
 * Declares the messages of a consumer. The types of its handlers and clients, and the validation of
 * input, follow from it.
 *
 * @throws {RangeError} A type is empty, longer than 64 characters, or reserved by the protocol.
 *
 * @example
 * ```ts
 * import { defineMessages, unchecked } from "@sluice/sluice";
 * import * as v from "valibot";
 *
 * const messages = defineMessages({
 *   client: { say: { data: v.object({ text: v.string() }), reply: unchecked<{ id: string }>() } },
 *   server: { said: unchecked<{ text: string }>() },
 * });
 * ```
 */
export function defineMessages<const M extends Messages>(messages: M): M {
  const { client, server, layer = {} } = messages;
  for (const name of [client, server, layer].flatMap(Object.keys)) {
    if (name.length === 0 || name.length > MAX_TYPE_LENGTH || RESERVED_TYPES.includes(name)) {
      throw new RangeError(
        `Cannot declare the message "${name}": a type must have 1 to ${MAX_TYPE_LENGTH} characters ` +
          `and must not be one of ${RESERVED_TYPES.join(", ")}`,
      );
    }
  }
  return messages;
}
