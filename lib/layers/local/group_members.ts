import { ownerOf } from "../channel_names.ts";
import { LayerError } from "../layer_error.ts";
import { type LocalChannels, type LocalDelivery } from "./local_channels.ts";
import type { PlainMessage } from "./plain_message.ts";

/** How a driver reaches members that are stored on its bus. */
export interface MemberTransport {
  /** Sends to a durable channel. Rejects if the message was not taken. */
  push(channel: string, plain: PlainMessage): Promise<void>;
  /** Sends to a channel of another process. Returns false if the process is known to be gone. */
  sendRemote(channel: string, plain: PlainMessage): Promise<boolean>;
  remove(channel: string): Promise<void>;
}

/**
 * Delivers a message to the members of a group that are stored on the bus: durable channels, and
 * channels that a process other than their own added.
 */
export async function sendToMembers(
  local: LocalChannels,
  to: {
    readonly group: string;
    readonly members: readonly string[];
    readonly except?: string | undefined;
  },
  plain: PlainMessage,
  transport: MemberTransport,
): Promise<LocalDelivery> {
  const count = { delivered: 0, queued: 0, dropped: 0 };
  await Promise.all(to.members.map(async (member) => {
    // A local member has already received the message.
    if (member === to.except || local.isMember(to.group, member)) return;
    const outcome = await sendToMember(local, member, plain, transport);
    if (outcome !== undefined) count[outcome]++;
  }));
  return count;
}

async function sendToMember(
  local: LocalChannels,
  member: string,
  plain: PlainMessage,
  transport: MemberTransport,
): Promise<keyof LocalDelivery | undefined> {
  const owner = ownerOf(member);
  try {
    if (owner === undefined) {
      await transport.push(member, plain);
      return "queued";
    }
    if (owner === local.names.process) return deliverToMember(local, member, plain, transport);
    const isThere = await transport.sendRemote(member, plain);
    if (!isThere) await transport.remove(member);
    return undefined;
  } catch (error) {
    const isCounted = error instanceof LayerError && error.code === "CHANNEL_FULL";
    if (!isCounted) local.counters.dropped.gap++;
    return "dropped";
  }
}

/** Delivers to a local channel that another process added. A channel that has ended is removed. */
export function deliverToMember(
  local: LocalChannels,
  channel: string,
  plain: PlainMessage,
  transport: Pick<MemberTransport, "remove">,
): keyof LocalDelivery | undefined {
  const delivery = local.deliver(channel, plain);
  if (delivery === "delivered" || delivery === "queued") return delivery;
  if (delivery !== "nobody") return "dropped";
  transport.remove(channel).catch(() => {});
  return undefined;
}
