import { Ago } from "../Ago.tsx";
import { counted } from "../counted.ts";
import { Facts } from "./Facts.tsx";

/** Properties of {@linkcode UserFacts}. */
export interface UserFactsProps {
  readonly class: string;
  readonly user: {
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
export function UserFacts({ class: name, user, joinedAt, now }: UserFactsProps) {
  return (
    <Facts class={name}>
      <span>
        @<bdi>{user.login}</bdi>
      </span>
      <span>{user.provider}</span>
      {joinedAt !== undefined && (
        <span>
          joined <Ago at={joinedAt} now={now} />
        </span>
      )}
      <span>
        last sign-in <Ago at={user.lastSignInAt} now={now} />
      </span>
      <span>{counted(user.sessions, "session")}</span>
      <span>{counted(user.sockets, "connection")}</span>
    </Facts>
  );
}
