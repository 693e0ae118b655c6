import { useHistory, usePresence, useSocket } from "@sluice/sluice/react";
import { type FormEvent, useEffect, useState } from "react";
import type { ChatMessages } from "./messages.ts";
import { SERVER, type User } from "./session.ts";

/** Properties of {@linkcode Room}. */
interface RoomProps {
  readonly user: User;
  /** Called when the session has ended. */
  readonly onSignedOut: () => void;
}

/** A room: its users, its messages, and a line to write. */
export function Room({ user, onSignedOut }: RoomProps) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const { socket, state, detail } = useSocket<ChatMessages>(`${SERVER}/ws/chat/lobby`, {
    user: user.id,
  });
  const people = usePresence(socket, {
    all: { welcome: ({ people }) => people },
    joined: { joined: ({ user }) => user },
    left: { left: ({ user }) => user },
    keyOf: ({ id }) => id,
  });
  const { messages, hasOlder, loadOlder } = useHistory(socket, {
    stream: "room",
    messages: { said: ({ id, text, user }) => ({ id, text, name: user.name }) },
  });

  useEffect(() => {
    if (state === "signed-out") onSignedOut();
  }, [state]);

  async function say(event: FormEvent) {
    event.preventDefault();
    setProblem("");
    try {
      // Sent again until it is answered, and said once.
      await socket?.request("say", { text }, { once: true });
      setText("");
    } catch (error) {
      setProblem(`Not sent: ${(error as Error).message}`);
    }
  }

  return (
    <section aria-label="Lobby">
      <p role="status">{state === "live" ? "Live" : `${state}: ${detail.reason || "…"}`}</p>
      <p>Here now: {people.map(({ name }) => name).join(", ")}</p>
      {hasOlder && (
        <button
          type="button"
          onClick={() => loadOlder().catch((error) => setProblem(error.message))}
        >
          Show older messages
        </button>
      )}
      <ol role="log" aria-label="Messages">
        {messages.map(({ id, name, text }) => (
          <li key={id}>
            <b>{name}</b> {text}
          </li>
        ))}
      </ol>
      <form onSubmit={say}>
        <input
          aria-label="Message"
          value={text}
          onChange={(event) => setText(event.target.value)}
          required
        />
        <button type="submit" disabled={state !== "live"}>Send</button>
      </form>
      <p role="alert">{problem}</p>
    </section>
  );
}
