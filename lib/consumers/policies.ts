import { FrameError } from "../protocol/mod.ts";
import { type Clock, type Connection, type Scope, systemClock } from "../scope.ts";

/** Says whether a client may be in a group, by what is known of it now. */
export type GroupPolicy<S extends Scope = Scope> = (
  scope: S,
  group: string,
) => boolean | Promise<boolean>;

type Question = () => boolean | Promise<boolean>;

/** What {@linkcode Policies} works with. */
export interface PoliciesContext {
  readonly connection: Connection;
  /** @default {systemClock} */
  readonly clock?: Clock;
  /** Adds the connection to a group. */
  add(group: string): Promise<void>;
  /** Takes the connection out of a group. */
  discard(group: string): Promise<void>;
  /** Called when a policy took the connection out of a group. */
  withdrawn(group: string): void | Promise<void>;
}

/** How long a policy may take to answer, in milliseconds. After that its answer is no. */
const ANSWER_TIMEOUT_MS = 10_000;

/** One group: what its policy is, and whether the connection is in it. */
interface PolicyGroup {
  /** Undefined once the consumer has left the group. */
  question: Question | undefined;
  isMember: boolean;
  /** How often the consumer left it: a join that began before a leave has no effect. */
  leaves: number;
  /** Whether something has changed since the policy was asked. */
  isOutdated: boolean;
  /** Settles when the group is at rest. */
  settling: Promise<void> | undefined;
}

/**
 * Keeps a connection in the groups whose policies say yes.
 *
 * Each group has one loop, which asks the policy and then joins or leaves, and starts again if a join, a
 * leave or a change of the scope came meanwhile. At rest the connection is in the group exactly if the
 * policy, asked after the last change, says yes.
 */
export class Policies {
  readonly #context: PoliciesContext;
  readonly #groups = new Map<string, PolicyGroup>();

  constructor(context: PoliciesContext) {
    this.#context = context;
  }

  /**
   * Joins a group if its policy says yes, and asks the policy again whenever the scope changes.
   *
   * @throws {FrameError} `FORBIDDEN`: it says no.
   */
  async add(group: string, question: Question): Promise<void> {
    const known = this.#groups.get(group);
    const entry = known ??
      { question, isMember: false, leaves: 0, isOutdated: true, settling: undefined };
    if (known === undefined) this.#groups.set(group, entry);
    entry.question = question;
    await this.#settle(group, entry);
    if (!entry.isMember) throw new FrameError("FORBIDDEN", "You may not enter here");
  }

  /** Leaves a group at once. Its policy is not asked any more. */
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

  /** Asks all policies again. Resolves when the connection has left the groups that say no. */
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
    if (question !== undefined) await this.#context.withdrawn(group);
  }

  /** *Security*: the answer of a policy that fails or hangs is no. */
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
