import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import type { PublicUser } from "@sluice/sluice/auth";
import * as v from "valibot";

/** Longest text of one message, in characters. */
export const MAX_TEXT_LENGTH = 2000;

/** A chat message. */
export interface Said {
  readonly id: string;
  readonly text: string;
  readonly user: PublicUser;
  /** The time, as ISO 8601. */
  readonly at: string;
}

/** The messages of a chat, in both directions. */
export const chatMessages = defineMessages({
  client: {
    say: {
      data: v.object({
        text: v.pipe(
          v.string(),
          v.minLength(1, "Expected at least 1 character"),
          v.check(
            (text) => [...text].length <= MAX_TEXT_LENGTH,
            `Expected at most ${MAX_TEXT_LENGTH} characters`,
          ),
        ),
      }),
      reply: unchecked<{ readonly id: string }>(),
      appends: "room",
    },
  },
  server: {
    welcome: unchecked<{ readonly you: PublicUser; readonly people: readonly PublicUser[] }>(),
    said: unchecked<Said>(),
    joined: unchecked<{ readonly user: PublicUser }>(),
    left: unchecked<{ readonly user: PublicUser }>(),
  },
});

/** The type of {@linkcode chatMessages}, for clients. */
export type ChatMessages = typeof chatMessages;
