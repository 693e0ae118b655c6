import type { LayerMessage } from "../core/consumer.ts";
import type { Log } from "../core/log.ts";
import type { PresenceMessages } from "./presence_options.ts";
import type { MemberChange } from "./topic.ts";

/** Asks the application for the messages that a group receives. */
export class MemberMessages<M> {
  readonly #messages: PresenceMessages<M>;
  readonly #log: Pick<Log, "warn"> | undefined;
  /** The callbacks that have thrown. */
  readonly #failing = new Set<string>();

  constructor(messages: PresenceMessages<M>, log: Pick<Log, "warn"> | undefined) {
    this.#messages = messages;
    this.#log = log;
  }

  /** Returns the message of a change, if there is one. `meta` may be from another version. */
  of({ kind, meta }: MemberChange<M>): LayerMessage | undefined {
    try {
      return this.#messages[kind]?.(meta);
    } catch (error) {
      const isFirst = !this.#failing.has(kind);
      this.#failing.add(kind);
      if (isFirst) this.#log?.warn(`${kind}() of a presence failed`, { error });
      return undefined;
    }
  }
}
