import { Avatar } from "../Avatar.tsx";
import { PersonFacts } from "./PersonFacts.tsx";
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
            <PersonFacts class="help" person={person} now={now} />
          </div>
        </li>
      ))}
    </ul>
  );
}
