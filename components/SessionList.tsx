import { Ago } from "./Ago.tsx";
import { counted } from "./counted.ts";

/** A session, as its owner sees it. */
export interface SessionRow {
  readonly id: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly userAgent: string;
  readonly device: string;
  readonly provider: string;
  readonly address?: string | undefined;
  readonly current: boolean;
  readonly sockets: number;
}

/** Properties of {@linkcode SessionList}. */
export interface SessionListProps {
  readonly sessions: readonly SessionRow[];
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;
}

/** Where somebody is signed in, with a way to end each. */
export function SessionList({ sessions, now }: SessionListProps) {
  return (
    <>
      <ul class="session-list">
        {sessions.map((session) => <Row key={session.id} session={session} now={now} />)}
      </ul>
      {sessions.length > 1 && (
        <form method="post" action="/sessions" class="actions">
          <input type="hidden" name="end" value="others" />
          <button type="submit" class="button">Sign out everywhere else</button>
        </form>
      )}
    </>
  );
}

function Row({ session, now }: { readonly session: SessionRow; readonly now: number }) {
  const { id, createdAt, lastSeenAt, userAgent, device, current, sockets } = session;
  const place = [session.provider, session.address].filter(Boolean).join(", ");
  return (
    <li>
      <div>
        <p class="session-name">
          <bdi title={userAgent}>{device}</bdi>
          {current && <span class="tag">this one</span>}
        </p>
        <p class="help">
          Signed in <Ago at={createdAt} now={now} /> ({place}), last seen{" "}
          <Ago at={lastSeenAt} now={now} />, {counted(sockets, "open connection")}
        </p>
      </div>
      <form method="post" action={current ? "/auth/signout" : "/sessions"}>
        {!current && <input type="hidden" name="end" value={id} />}
        <button
          type="submit"
          class="button small quiet"
          aria-label={current ? "Sign out here" : `End the session in ${device}`}
        >
          {current ? "Sign out" : "End"}
        </button>
      </form>
    </li>
  );
}
