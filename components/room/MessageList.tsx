import type { PublicUser } from "@sluice/sluice/auth";
import { MessageLine } from "./MessageLine.tsx";
import { type Entry, type Gap, type Line, MAX_ENTRIES, type RoomState } from "./room_state.ts";
import { Time } from "./Time.tsx";
import { useStickToBottom } from "./use_stick_to_bottom.ts";

/** Properties of {@linkcode MessageList}. */
export interface MessageListProps {
  readonly state: RoomState;
  readonly onResend: (line: Line) => void;
  readonly onDiscard: (line: Line) => void;
  /** Called with what brings the newest messages into view, when somebody asks for them. */
  readonly onJump: (jump: () => void) => void;
}

/** Messages of one person within this time stand under one name, in milliseconds. */
const SAME_BREATH_MS = 300_000;

/** What was said. Stays at the end while you are there; says what came while you were not. */
export function MessageList({ state, onResend, onDiscard, onJump }: MessageListProps) {
  const shown = [...state.entries.filter((entry) => !isHeld(entry)), ...state.outbox];
  const { ref, unread, scrollToEnd } = useStickToBottom(shown, state.you.id);
  return (
    <div class="messages-frame">
      <div
        class="messages"
        ref={ref}
        role="log"
        aria-label="Messages"
        aria-live="polite"
        aria-relevant="additions"
        tabIndex={0}
      >
        {state.trimmed && (
          <p class="notice">Only the last {MAX_ENTRIES} messages are kept on this page.</p>
        )}
        {shown.length === 0 && <Empty />}
        {shown.map((entry, index) => (
          entry.kind === "gap" ? <Missed key={entry.key} gap={entry} /> : (
            <MessageLine
              key={entry.key}
              line={entry}
              continues={continues(shown[index - 1], entry)}
              isYours={entry.user.id === state.you.id}
              onResend={onResend}
              onDiscard={onDiscard}
            />
          )
        ))}
      </div>
      {unread > 0 && (
        <button
          type="button"
          class="button small jump"
          onClick={() => onJump(scrollToEnd)}
        >
          {unread} new {unread === 1 ? "message" : "messages"} ↓
        </button>
      )}
    </div>
  );
}

function Empty() {
  return (
    <p class="notice empty">
      Nothing was said since you came in. What you write reaches everybody who is here.
    </p>
  );
}

function Missed({ gap: { from, to, who } }: { readonly gap: Gap }) {
  if (who === "server") {
    return (
      <p class="notice gap">
        The servers lost each other for {secondsOf(from, to)} s, until{" "}
        <Time at={to} />. You may have missed messages: this room keeps none.
      </p>
    );
  }
  return (
    <p class="notice gap">
      You were away from <Time at={from} /> to{" "}
      <Time at={to} />. You may have missed messages: this room keeps none.
    </p>
  );
}

function secondsOf(from: string, to: string): number {
  return Math.max(1, Math.ceil((Date.parse(to) - Date.parse(from)) / 1000));
}

function isHeld(entry: Entry): boolean {
  return entry.kind === "line" && entry.held === true;
}

function continues(before: Entry | undefined, { user, at }: Line): boolean {
  if (before?.kind !== "line" || !isSame(before.user, user)) return false;
  return Math.abs(Date.parse(at) - Date.parse(before.at)) < SAME_BREATH_MS;
}

function isSame(a: PublicUser, b: PublicUser): boolean {
  return a.id === b.id && a.name === b.name && a.avatarUrl === b.avatarUrl;
}
