import { Avatar } from "../Avatar.tsx";
import { UserFacts } from "./UserFacts.tsx";
import { UserTags } from "./UserTags.tsx";
import type { UserView } from "./user_view.ts";

/** Properties of {@linkcode UserList}. */
export interface UserListProps {
  readonly users: readonly UserView[];
  /** The signed-in user. */
  readonly yourId: string;
  readonly now: number;
}

/** Users, each with a link to their page. */
export function UserList({ users, yourId, now }: UserListProps) {
  return (
    <ul class="people-list">
      {users.map((user) => (
        <li key={user.id}>
          <Avatar user={user} />
          <div>
            <p class="session-name">
              <a href={`/people/${user.id}`}>
                <bdi>{user.name}</bdi>
              </a>
              <UserTags user={user} isYou={user.id === yourId} />
            </p>
            <UserFacts class="help" user={user} now={now} />
          </div>
        </li>
      ))}
    </ul>
  );
}
