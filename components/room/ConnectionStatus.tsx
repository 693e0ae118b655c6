import { type Connection, reasonOf, stateWords } from "./connection_words.ts";
import { useSecondsUntil } from "./use_seconds_until.ts";

/** Properties of {@linkcode ConnectionStatus}. */
export interface ConnectionStatusProps {
  readonly connection: Connection;
  readonly room: string;
  readonly onRetry: () => void;
}

/** Says where the connection stands, and offers a way on. */
export function ConnectionStatus({ connection, room, onRetry }: ConnectionStatusProps) {
  const { state, retryAt } = connection;
  const seconds = useSecondsUntil(retryAt);
  const reason = reasonOf(connection);
  const canRetry = seconds !== undefined || ["signed-out", "refused"].includes(state);
  return (
    <div class={`connection ${state}`}>
      <p class="connection-words" role="status" data-state={state}>
        <span class="connection-dot" aria-hidden="true" />
        {stateWords(connection)}
        {state !== "live" && reason && ` ${reason}`}
      </p>
      {seconds !== undefined && (
        <span class="countdown" aria-hidden="true">
          {seconds > 0 ? `Next try in ${seconds} s` : "Trying now"}
        </span>
      )}
      {state === "signed-out" && (
        <a class="button small" href={`/signin?return_to=/rooms/${room}`}>Sign in</a>
      )}
      {state === "closed" && <a class="button small" href={`/rooms/${room}`}>Enter again</a>}
      {canRetry && (
        <button type="button" class="button small quiet" onClick={onRetry}>
          {seconds === undefined ? "Try again" : "Try now"}
        </button>
      )}
    </div>
  );
}
