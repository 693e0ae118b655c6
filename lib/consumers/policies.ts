import { FrameError } from "../protocol/mod.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Connection } from "../core/connection.ts";
import type { Scope } from "../core/scope.ts";

/** Returns whether a client may be in a group, based on the current scope. */
export type GroupPolicy<S extends Scope = Scope> = (
  scope: S,
  group: string,
) => boolean | Promise<boolean>;

type Question = () => boolean | Promise<boolean>;

/** Dependencies of {@linkcode Policies}. */
export interface PoliciesContext {
  readonly connection: Connection;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Adds the connection to a group. */
  add(group: string): Promise<void>;
  /** Removes the connection from the group. */
  discard(group: string): Promise<void>;
  /** Called when a policy has removed the connection from a group. */
  revoked(group: string): void | Promise<void>;
}

/** Time limit of a policy, in milliseconds. After that it counts as a denial. */
const ANSWER_TIMEOUT_MS = 10_000;

/** The policy of one group and the membership of the connection. */
interface PolicyGroup {
  /** Undefined once the consumer has left the group. */
  question: Question | undefined;
  isMember: boolean;
  /** Number of times the consumer left: a join that started before a leave has no effect. */
  leaves: number;
  /** Whether something has changed since the policy last ran. */
  isOutdated: boolean;
  /** Settles when the loop of the group is idle. */
  settling: Promise<void> | undefined;
}

/**
 * Keeps a connection in the groups whose policies allow it.
 *
 * Each group has one loop, which runs the policy and then joins or leaves. It starts again if
 * a join, a leave or a scope change arrives meanwhile. When it is idle, the connection is in the group if and only
 * if the policy, run after the last change, allows it.
 */
export class Policies {
  readonly #context: PoliciesContext;
  readonly #groups = new Map<string, PolicyGroup>();

  constructor(context: PoliciesContext) {
    this.#context = context;
  }

  /**
   * Joins a group if its policy allows it, and runs the policy again whenever the scope changes.
   *
   * @throws {FrameError} `FORBIDDEN`: the policy denies access.
   */
  async add(group: string, question: Question): Promise<void> {
    const known = this.#groups.get(group);
    const entry = known ??
      { question, isMember: false, leaves: 0, isOutdated: true, settling: undefined };
    if (known === undefined) this.#groups.set(group, entry);
    entry.question = question;
    await this.#settle(group, entry);
    if (!entry.isMember) throw new FrameError("FORBIDDEN", "You may not join this group");
  }

  /** Leaves a group at once. Its policy does not run again. */
  async discard(group: string): Promise<void> {
    const entry = this.#groups.get(group);
    if (entry !== undefined) {
      entry.question = undefined;
      entry.isMember = false;
      entry.leaves++;
    }
    await this.#context.discard(group);
    if (entry !== undefined) await this.#settle(group, entry);
  }

  /** Whether the connection is in the group, by the last answer of its policy. */
  isMember(group: string): boolean {
    return this.#groups.get(group)?.isMember ?? false;
  }

  /** Runs the policy of a group again. Returns whether the connection is in the group. */
  async confirm(group: string): Promise<boolean> {
    const entry = this.#groups.get(group);
    if (entry?.isMember !== true) return false;
    await this.#settle(group, entry);
    return entry.isMember;
  }

  /** Runs all policies again. Resolves when the connection has left the groups that deny access. */
  async recheck(): Promise<void> {
    await Promise.all([...this.#groups].map(([group, entry]) => this.#settle(group, entry)));
  }

  #settle(group: string, entry: PolicyGroup): Promise<void> {
    entry.isOutdated = true;
    return entry.settling ??= this.#run(group, entry).finally(() => {
      entry.settling = undefined;
      if (!entry.isMember && this.#groups.get(group) === entry) this.#groups.delete(group);
    });
  }

  async #run(group: string, entry: PolicyGroup): Promise<void> {
    while (entry.isOutdated) {
      entry.isOutdated = false;
      const { question } = entry;
      const may = question !== undefined && await this.#ask(question);
      if (!may) await this.#leave(group, entry, question);
      else if (!entry.isOutdated) await this.#join(group, entry);
    }
  }

  async #join(group: string, entry: PolicyGroup): Promise<void> {
    if (entry.isMember) return;
    const { leaves } = entry;
    await this.#context.add(group);
    entry.isMember = entry.leaves === leaves;
  }

  async #leave(group: string, entry: PolicyGroup, question: Question | undefined): Promise<void> {
    if (!entry.isMember) return;
    entry.isMember = false;
    await this.#context.discard(group);
    if (question !== undefined) await this.#context.revoked(group);
  }

  /** *Security*: a policy that fails or times out denies access. */
  async #ask(question: Question): Promise<boolean> {
    const { connection, clock = systemClock } = this.#context;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(ANSWER_TIMEOUT_MS, () => {
      reject(new Error(`No answer within ${ANSWER_TIMEOUT_MS} ms`));
    });
    try {
      return await Promise.race([question(), late]);
    } catch (error) {
      connection.log.error("A policy failed", { connection: connection.id, error });
      return false;
    } finally {
      cancel();
    }
  }
}
