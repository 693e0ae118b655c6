import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import * as v from "valibot";

/** The messages used by these tests. */
export const messages = defineMessages({
  client: {
    say: { data: v.object({ text: v.string() }), reply: unchecked<{ id: string }>() },
    typing: { data: v.object({ on: v.optional(v.boolean(), true) }) },
  },
  server: {
    said: unchecked<{ text: string }>(),
    left: unchecked<{ login: string }>(),
  },
});

export type ChatMessages = typeof messages;
