import { useSocket } from "@sluice/sluice/client/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { SessionList, type SessionListProps } from "../components/SessionList.tsx";
import { useFocusRescue } from "../components/use_focus_rescue.ts";
import type { SessionsMessages } from "../consumers/sessions_messages.ts";

/** Interval at which "2 minutes ago" is updated, in milliseconds. */
const TICK_MS = 20_000;

/** The sessions of the user, kept up to date while the page is open. */
export default function Sessions(initial: SessionListProps) {
  const [shown, setShown] = useState(initial);
  const list = useRef<HTMLDivElement>(null);
  useFocusRescue(list, list);

  const { state } = useSocket<SessionsMessages>("/ws/sessions", {
    on: { sessions: ({ sessions }) => setShown({ sessions, now: Date.now() }) },
  });

  useEffect(() => {
    // Signed out elsewhere: the server's response is the sign-in page.
    if (state === "signed-out") location.reload();
  }, [state]);

  useEffect(() => {
    const timer = setInterval(() => {
      setShown(({ sessions }) => ({ sessions, now: Date.now() }));
    }, TICK_MS);
    return () => clearInterval(timer);
  }, []);

  return (
    <div class="sessions" ref={list} tabIndex={-1}>
      <SessionList sessions={shown.sessions} now={shown.now} />
    </div>
  );
}
