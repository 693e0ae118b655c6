import type { PublicUser } from "@sluice/sluice/auth";
import type { RealtimeSocket } from "@sluice/sluice/client";
import { usePresence } from "@sluice/sluice/client/preact";
import type { ChatMessages } from "../../consumers/chat_messages.ts";
import { Avatar } from "../Avatar.tsx";

/** Properties of {@linkcode People}. */
export interface PeopleProps {
  readonly you: PublicUser;
  /** The connection to the room, once there is one. */
  readonly socket: RealtimeSocket<ChatMessages> | undefined;
  /** Whether the list is up to date. */
  readonly isCurrent: boolean;
}

/** The users in the room: you first, then by name. */
export function People({ you, socket, isCurrent }: PeopleProps) {
  const present = usePresence(socket, {
    all: { welcome: ({ people }) => people },
    joined: { joined: ({ user }) => user },
    left: { left: ({ user }) => user },
    keyOf: ({ id }) => id,
  });
  const others = present.filter(({ id }) => id !== you.id);
  const people = [you, ...others.sort((a, b) => a.name.localeCompare(b.name))];
  return (
    <aside class={isCurrent ? "people" : "people stale"} aria-labelledby="people-heading">
      <h2 id="people-heading">
        Here now <span class="count">{isCurrent ? people.length : "–"}</span>
      </h2>
      <ul tabIndex={0} aria-labelledby="people-heading">
        {people.map((user) => (
          <li key={user.id} title={user.login}>
            <Avatar user={user} />
            <bdi class="user-name">{user.name}</bdi>
            {user.id === you.id && <span class="tag">you</span>}
          </li>
        ))}
      </ul>
    </aside>
  );
}
