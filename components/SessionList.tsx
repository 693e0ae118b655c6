import { Ago } from "./Ago.tsx";
import { counted } from "./counted.ts";
import { Facts } from "./users/Facts.tsx";

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

/** Where a user is signed in, with a way to end each session. */
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
  const { id, createdAt, lastSeenAt, userAgent, device, address, current, sockets } = session;
  return (
    <li>
      <div>
        <p class="session-name">
          <bdi title={userAgent}>{device}</bdi>
          {current && <span class="tag">This device</span>}
        </p>
        <Facts
          id={`session-${id}`}
          class="help"
        >
          {address && <span>{address}</span>}
          <span>
            active <Ago at={lastSeenAt} now={now} justNow="now" />
          </span>
          <span>
            signed in <Ago at={createdAt} now={now} />
          </span>
          <span>{counted(sockets, "connection")}</span>
        </Facts>
      </div>
      <form method="post" action={current ? "/auth/signout" : "/sessions"}>
        {!current && <input type="hidden" name="end" value={id} />}
        <button
          type="submit"
          class="button small quiet"
          aria-label={current ? "Sign out of this device" : `Sign out ${device}`}
          aria-describedby={`session-${id}`}
        >
          Sign out
        </button>
      </form>
    </li>
  );
}
