import { Ago } from "./Ago.tsx";

/** Something that happened to somebody. */
export interface EventRow {
  readonly kind: string;
  readonly code: string | undefined;
  readonly at: string;
  readonly by: string | undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  "signed-in": "Signed in",
  "sign-in-failed": "Could not sign in",
  "session-ended": "A session ended",
  "session-rotated": "A session got another secret",
  "refused": "Was refused",
  "user-banned": "Was banned",
  "user-unbanned": "Was let back in",
  "user-removed": "Was removed",
  "roles-changed": "Has these roles now",
};

/** What happened to somebody, the latest first. */
export function EventList(
  { events, now }: { readonly events: readonly EventRow[]; readonly now: number },
) {
  return (
    <ul class="event-list">
      {events.map(({ kind, code, at, by }, index) => (
        <li key={index}>
          <span>
            {WORDS[kind] ?? kind}
            {code !== undefined && <code>{code}</code>}
          </span>
          <span class="help">
            {by !== undefined && (
              <>
                by <bdi>{by}</bdi>,{" "}
              </>
            )}
            <Ago at={at} now={now} />
          </span>
        </li>
      ))}
    </ul>
  );
}
