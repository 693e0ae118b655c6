import { type Connection, describeConnection } from "./words/connection_words.ts";
import { useSecondsUntil } from "./use_seconds_until.ts";

/** Properties of {@linkcode ConnectionStatus}. */
export interface ConnectionStatusProps {
  readonly connection: Connection;
  readonly room: string;
  readonly onRetry: () => void;
}

/** Shows the state of the connection, and offers a remedy. */
export function ConnectionStatus({ connection, room, onRetry }: ConnectionStatusProps) {
  const { state, retryAt } = connection;
  const canRetry = retryAt !== undefined || ["signed-out", "refused"].includes(state);
  return (
    <div class={`connection ${state}`}>
      <p class="connection-words" role="status" data-state={state}>
        <span class="connection-dot" aria-hidden="true" />
        {describeConnection(connection)}
      </p>
      {retryAt !== undefined && <Countdown until={retryAt} />}
      {state === "signed-out" && (
        <a class="button small" href={`/signin?return_to=/rooms/${room}`}>Sign in</a>
      )}
      {state === "closed" && <a class="button small" href={`/rooms/${room}`}>Enter again</a>}
      {canRetry && (
        <button type="button" class="button small quiet" onClick={onRetry}>
          {retryAt === undefined ? "Try again" : "Try now"}
        </button>
      )}
    </div>
  );
}

/** The only part that renders each second: screen readers announce every change of the status beside it. */
function Countdown({ until }: { readonly until: number }) {
  const seconds = useSecondsUntil(until);
  return (
    <span class="countdown" aria-hidden="true">
      {seconds > 0 ? `Next try in ${seconds} s` : "Trying now"}
    </span>
  );
}
