import { attempt } from "../core/promises.ts";
import type { InternalLayer } from "../core/internals.ts";
import type { ChannelLayer } from "./channel_layer.ts";
import type { ChannelNames } from "./channel_names.ts";
import { assertGroupName, assertReservedName, reservedName } from "./input.ts";

/** The methods of a layer without their checks of names. */
export type UncheckedLayer =
  & Pick<ChannelLayer, "attach" | "send" | "groupAdd" | "groupSend">
  & { readonly names: ChannelNames };

/** Returns the internal view of a layer, which reserves group names and takes reserved channels. */
export function internalDoor(layer: UncheckedLayer): InternalLayer {
  return {
    newChannel: (prefix = "specific") => layer.names.nextReserved(prefix),
    attach(channel, mailbox) {
      assertReservedName(channel);
      return layer.attach(channel, mailbox);
    },
    send: (channel, message) =>
      attempt(() => {
        assertReservedName(channel);
        return layer.send(channel, message);
      }),
    groupAdd: (group, channel) =>
      attempt(() => {
        assertGroupName(group);
        assertReservedName(channel);
        return layer.groupAdd(reservedName(group), channel);
      }),
    groupSend: (group, message, options) =>
      attempt(() => {
        assertGroupName(group);
        return layer.groupSend(reservedName(group), message, options);
      }),
  };
}
