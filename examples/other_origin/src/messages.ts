import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import * as v from "valibot";

/** A user, as others see them. */
interface Person {
  readonly id: string;
  readonly name: string;
}

/**
 * The messages of the server's room. In a project of your own, the server's file is shared. Pages import
 * only its type, so that nothing of it is in their scripts.
 */
const messages = defineMessages({
  client: {
    say: { data: v.object({ text: v.string() }), reply: unchecked<{ readonly id: string }>() },
  },
  server: {
    welcome: unchecked<{ readonly you: Person; readonly people: readonly Person[] }>(),
    joined: unchecked<{ readonly user: Person }>(),
    left: unchecked<{ readonly user: Person }>(),
    said: unchecked<{ readonly id: string; readonly text: string; readonly user: Person }>(),
  },
});

export type ChatMessages = typeof messages;
