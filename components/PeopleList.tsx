import { Ago } from "./Ago.tsx";
import { Avatar } from "./Avatar.tsx";
import { counted } from "./counted.ts";
import { PersonTags } from "./PersonTags.tsx";

/** A person in the list. */
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
  /** Who reads it. */
  readonly yourId: string;
  readonly now: number;
}

/** People, each with a link to where they are looked after. */
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
            <p class="help">
              <bdi>{person.login}</bdi> at {person.provider}, signed in{" "}
              <Ago at={person.lastSignInAt} now={now} />, {counted(person.sessions, "session")},
              {" "}
              {counted(person.sockets, "open connection")}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
