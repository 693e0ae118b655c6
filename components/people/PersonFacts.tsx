import { Ago } from "../Ago.tsx";
import { counted } from "../counted.ts";
import { Facts } from "./Facts.tsx";

/** Properties of {@linkcode PersonFacts}. */
export interface PersonFactsProps {
  readonly class: string;
  readonly person: {
    readonly login: string;
    readonly provider: string;
    readonly lastSignInAt: string;
    readonly sessions: number;
    readonly sockets: number;
  };
  /** When the account was created; shown only if given. */
  readonly joinedAt?: string;
  readonly now: number;
}

/** A line about a user: "@grace · github · last sign-in 2 minutes ago · 1 session · 3 connections". */
export function PersonFacts({ class: name, person, joinedAt, now }: PersonFactsProps) {
  return (
    <Facts class={name}>
      <span>
        @<bdi>{person.login}</bdi>
      </span>
      <span>{person.provider}</span>
      {joinedAt !== undefined && (
        <span>
          joined <Ago at={joinedAt} now={now} />
        </span>
      )}
      <span>
        last sign-in <Ago at={person.lastSignInAt} now={now} />
      </span>
      <span>{counted(person.sessions, "session")}</span>
      <span>{counted(person.sockets, "connection")}</span>
    </Facts>
  );
}
