import type { PublicUser } from "@sluice/sluice/auth";
import { Avatar } from "../Avatar.tsx";

/** Properties of {@linkcode People}. */
export interface PeopleProps {
  readonly you: PublicUser;
  readonly people: readonly PublicUser[];
  /** Whether the list is up to date. */
  readonly isCurrent: boolean;
}

/** The users in the room: you first, then by name. */
export function People({ you, people, isCurrent }: PeopleProps) {
  const sorted = people.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  return (
    <aside class={isCurrent ? "people" : "people stale"} aria-labelledby="people-heading">
      <h2 id="people-heading">
        Here now <span class="count">{isCurrent ? people.length : "–"}</span>
      </h2>
      <ul tabIndex={0} aria-labelledby="people-heading">
        {sorted.map((user) => (
          <li key={user.id} title={user.login}>
            <Avatar user={user} />
            <bdi class="user-name">{user.name}</bdi>
            {user.id === you.id && <span class="tag">you</span>}
          </li>
        ))}
      </ul>
    </aside>
  );

  function rank({ id }: PublicUser): number {
    return id === you.id ? 0 : 1;
  }
}
