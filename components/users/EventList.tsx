import { Ago } from "../Ago.tsx";

/** An audit event of a user. */
export interface EventRow {
  readonly kind: string;
  readonly code: string | undefined;
  readonly at: string;
  readonly by: string | undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  "signed-in": "Signed in",
  "sign-in-failed": "Sign-in failed",
  "session-ended": "Session ended",
  "session-rotated": "Session key rotated",
  "refused": "Refused",
  "user-banned": "Banned",
  "user-unbanned": "Unbanned",
  "user-removed": "Removed",
  "roles-changed": "Roles changed to",
};

/** Descriptions of event codes that are not readable by themselves. */
const CODES: Readonly<Record<string, string>> = {
  "expired": "expired",
  "replaced": "new sign-in in the same browser",
  "revoked": "ended by the user or an admin",
  "signed-out": "signed out",
  "user-banned": "the user was banned",
  "user-removed": "the user was removed",
};

/** The events of a user, the latest first. */
export function EventList(
  { events, now }: { readonly events: readonly EventRow[]; readonly now: number },
) {
  return (
    <ul class="event-list">
      {events.map(({ kind, code, at, by }, index) => (
        <li key={index}>
          <span>
            {WORDS[kind] ?? kind}
            {code !== undefined && <Code code={code} />}
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

function Code({ code }: { readonly code: string }) {
  const words = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  return words === undefined ? <code>{code}</code> : <>: {words}</>;
}
