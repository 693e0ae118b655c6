import { Ago } from "./Ago.tsx";
import { Avatar } from "./Avatar.tsx";
import { counted } from "./counted.ts";
import { Facts } from "./Facts.tsx";
import { PersonTags } from "./PersonTags.tsx";

/** A user in the list. */
export interface PersonRow {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly avatarUrl: string;
  readonly provider: string;
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
  readonly lastSignInAt: string;
  readonly bannedAt: string | undefined;
  readonly sessions: number;
  readonly sockets: number;
}

/** Properties of {@linkcode PeopleList}. */
export interface PeopleListProps {
  readonly people: readonly PersonRow[];
  /** The signed-in user. */
  readonly yourId: string;
  readonly now: number;
}

/** Users, each with a link to their page. */
export function PeopleList({ people, yourId, now }: PeopleListProps) {
  return (
    <ul class="people-list">
      {people.map((person) => (
        <li key={person.id}>
          <Avatar person={person} />
          <div>
            <p class="session-name">
              <a href={`/people/${person.id}`}>
                <bdi>{person.name}</bdi>
              </a>
              <PersonTags person={person} isYou={person.id === yourId} />
            </p>
            <Facts class="help">
              <span>
                @<bdi>{person.login}</bdi>
              </span>
              <span>{person.provider}</span>
              <span>
                last sign-in <Ago at={person.lastSignInAt} now={now} />
              </span>
              <span>{counted(person.sessions, "session")}</span>
              <span>{counted(person.sockets, "connection")}</span>
            </Facts>
          </div>
        </li>
      ))}
    </ul>
  );
}
