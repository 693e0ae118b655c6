import { FrameError } from "../protocol/mod.ts";
import type { Connection, Scope } from "../scope.ts";

/** Says whether a client may be in a group, by what is known of it now. */
export type GroupPolicy<S extends Scope = Scope> = (
  scope: S,
  group: string,
) => boolean | Promise<boolean>;

type Question = () => boolean | Promise<boolean>;

/** The policies of the groups that a connection is in, asked again when its scope changes. */
export class Policies {
  readonly #connection: Connection;
  readonly #policies = new Map<string, Question>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Asks a policy, and keeps it for later.
   *
   * @throws {FrameError} `FORBIDDEN`: it says no.
   */
  async require(group: string, policy: Question): Promise<void> {
    this.#policies.set(group, policy);
    if (await policy()) return;
    this.#policies.delete(group);
    throw new FrameError("FORBIDDEN", "You may not enter here");
  }

  /** Returns whether a group has a policy that said yes when it was asked last. */
  has(group: string): boolean {
    return this.#policies.has(group);
  }

  /** Forgets the policy of a group. */
  delete(group: string): void {
    this.#policies.delete(group);
  }

  /** Asks all policies again, and returns the groups whose policy says no now, or fails. */
  async withdrawn(): Promise<string[]> {
    const asked = [...this.#policies].map(async ([group, policy]) => {
      const may = await this.#ask(policy);
      return may || this.#policies.get(group) !== policy ? [] : [group];
    });
    const groups = (await Promise.all(asked)).flat();
    for (const group of groups) this.#policies.delete(group);
    return groups;
  }

  /** *Security*: what cannot be confirmed is withdrawn. */
  async #ask(policy: Question): Promise<boolean> {
    try {
      return await policy();
    } catch (error) {
      const { log, id } = this.#connection;
      log.error("A policy failed", { connection: id, error });
      return false;
    }
  }
}
