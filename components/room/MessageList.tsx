import type { PublicUser } from "@sluice/sluice/auth";
import { durationWords } from "./words/duration_words.ts";
import { MessageLine } from "./MessageLine.tsx";
import type { Entry, Gap, Line, RoomState } from "./room_state.ts";
import { useStickToBottom } from "./use_stick_to_bottom.ts";

/** Properties of {@linkcode MessageList}. */
export interface MessageListProps {
  readonly state: RoomState;
  readonly onResend: (line: Line) => void;
  readonly onDiscard: (line: Line) => void;
  /** Called when the user asks for the newest messages, with a function that scrolls to them. */
  readonly onJump: (jump: () => void) => void;
}

/** Messages of one user within this time share one name, in milliseconds. */
const SAME_BREATH_MS = 300_000;

/** The messages of a room. Follows the end while it is in view; otherwise, counts new messages. */
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
        {state.trimmed && <p class="notice">Older messages are no longer shown.</p>}
        {state.entered && shown.length === 0 && <Empty />}
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
      No messages yet. Everyone in this room will see what you write.
    </p>
  );
}

function Missed({ gap: { from, to, who } }: { readonly gap: Gap }) {
  const time = durationWords(Date.parse(to) - Date.parse(from));
  return (
    <p class="notice gap">
      {who === "server"
        ? `Servers were disconnected from each other for ${time}. Some messages may be missing.`
        : `You were offline for ${time}. Messages sent meanwhile are not shown.`}
    </p>
  );
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
