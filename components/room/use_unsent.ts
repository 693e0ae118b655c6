import { useLayoutEffect, useMemo } from "preact/hooks";
import type { RoomState } from "./room_state.ts";
import { RoomStorage, type TextPlace, type UnsentText } from "./room_storage.ts";

/** The user, the room and the messages without a reply. */
export interface Unsent extends TextPlace {
  readonly outbox: RoomState["outbox"];
}

const PAGE_LEFT = { reason: "You left the page. It may have been sent", uncertain: true };

/** Keeps messages without a reply across a reload, and across a new sign-in of the same user. */
export function useUnsent(
  { room, userId, outbox }: Unsent,
  restore: (texts: readonly UnsentText[]) => void,
): void {
  const storage = useMemo(() => new RoomStorage({ room, userId }), [room, userId]);
  // Before the browser paints: what the user sees is what a reload at once finds.
  useLayoutEffect(() => restore(storage.unsent), [storage]);
  useLayoutEffect(() => {
    storage.unsent = outbox.map(({ text, at, status, reason, command, uncertain = false }) =>
      status === "failed" && reason !== undefined
        ? { text, at, command, reason, uncertain }
        : { text, at, command, ...PAGE_LEFT }
    );
  }, [storage, outbox]);
}
