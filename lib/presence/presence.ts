import type { ChannelLayer } from "../layers/mod.ts";
import type { Connection, LayerMessage } from "../scope.ts";

/** What a group is told when somebody comes or goes. */
export interface PresenceMessages<M> {
  joined(meta: M): LayerMessage;
  left(meta: M): LayerMessage;
}

/** Somebody in a topic: one entry, however many connections. */
interface Person<M> {
  meta: M;
  readonly connections: Set<Connection>;
}

/**
 * Who is in a group, by person: one join with the first connection, one leave with the last.
 *
 * Knows the connections of this process.
 */
export class Presence<M> {
  readonly #layer: ChannelLayer;
  readonly #messages: PresenceMessages<M>;
  readonly #topics = new Map<string, Map<string, Person<M>>>();

  constructor(layer: ChannelLayer, messages: PresenceMessages<M>) {
    this.#layer = layer;
    this.#messages = messages;
  }

  /**
   * Enters a person into the group, until the connection's end, and returns who is there.
   *
   * Where it is the person's first connection the group is told, all but the channel `except`.
   */
  async enter(
    group: string,
    person: { readonly key: string; readonly meta: M },
    options: { readonly connection: Connection; readonly except?: string },
  ): Promise<readonly M[]> {
    const { connection, except } = options;
    if (connection.phase === "ended") return this.list(group);
    const people = this.#topics.get(group) ?? new Map<string, Person<M>>();
    this.#topics.set(group, people);
    const known = people.get(person.key);
    const entry = known ?? { meta: person.meta, connections: new Set() };
    entry.meta = person.meta;
    people.set(person.key, entry);
    entry.connections.add(connection);
    connection.onEnd(() => this.#leave(group, person.key, connection));
    if (known === undefined) {
      await this.#layer.groupSend(group, this.#messages.joined(person.meta), { except });
    }
    return this.list(group);
  }

  /** Returns who is in a group, in the order in which they came. */
  list(group: string): readonly M[] {
    return [...this.#topics.get(group)?.values() ?? []].map((person) => person.meta);
  }

  #leave(group: string, key: string, connection: Connection): void {
    const people = this.#topics.get(group);
    const person = people?.get(key);
    if (people === undefined || person === undefined) return;
    person.connections.delete(connection);
    if (person.connections.size > 0) return;
    people.delete(key);
    if (people.size === 0) this.#topics.delete(group);
    this.#layer.groupSend(group, this.#messages.left(person.meta)).catch((error) => {
      connection.log.warn("A leave was not announced", { group, error });
    });
  }
}
