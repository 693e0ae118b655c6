import type { FrameCodec } from "../bus/frame_codec.ts";
import { InOrder } from "../durable/in_order.ts";
import type { RunOnRedis } from "./redis_durable.ts";
import type { RedisKeys } from "./redis_keys.ts";
import { REDIS_SCRIPTS } from "./redis_scripts.ts";

/** The stored members of groups in Redis: one sorted set each, by the time of the last `groupAdd()`. */
export class RedisMembers {
  readonly #run: RunOnRedis;
  readonly #codec: FrameCodec;
  readonly #keys: RedisKeys;
  readonly #expiry: string;
  readonly #changes = new InOrder();

  constructor(run: RunOnRedis, codec: FrameCodec, keys: RedisKeys, expiryMs: number) {
    this.#run = run;
    this.#codec = codec;
    this.#keys = keys;
    this.#expiry = `${expiryMs}`;
  }

  /** Adds a member. Additions and removals of a member take effect in call order. */
  async add(group: string, channel: string): Promise<void> {
    const key = this.#keys.members(group);
    const [form] = this.#codec.memberForms(key, channel);
    await this.#changes.run(`${group} ${channel}`, () => {
      return this.#run(key, (node) => node.script(REDIS_SCRIPTS.join, [key], form, this.#expiry));
    });
  }

  /** Removes a member. */
  async remove(group: string, channel: string): Promise<void> {
    const key = this.#keys.members(group);
    const forms = this.#codec.memberForms(key, channel);
    await this.#changes.run(`${group} ${channel}`, () => {
      return this.#run(key, (node) => node.command("ZREM", key, ...forms));
    });
  }

  /** Returns the channels of a group's members. */
  async list(group: string): Promise<readonly string[]> {
    const key = this.#keys.members(group);
    const reply = await this.#run(key, (node) => {
      return node.script(REDIS_SCRIPTS.members, [key], this.#expiry);
    });
    return this.#codec.decodeMembers(key, reply as readonly string[]);
  }
}
