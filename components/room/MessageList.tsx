import type { PublicUser } from "@sluice/sluice/auth";
import { counted } from "../counted.ts";
import { MessageLine } from "./MessageLine.tsx";
import { OlderMessages } from "./OlderMessages.tsx";
import type { Away, Entry, Line, RoomState } from "./room_state.ts";
import { useIsMounted } from "./use_is_mounted.ts";
import { useStickToBottom } from "./use_stick_to_bottom.ts";

/** Properties of {@linkcode MessageList}. */
export interface MessageListProps {
  readonly state: RoomState;
  readonly onResend: (line: Line) => void;
  readonly onDiscard: (line: Line) => void;
  /** Called when the user asks for the newest messages, with a function that scrolls to them. */
  readonly onJump: (jump: () => void) => void;
  /** Loads older messages, and resolves with their number. */
  readonly loadOlder: () => Promise<number>;
}

/** Messages of one user within this time share one name, in milliseconds. */
const SAME_BREATH_MS = 300_000;

/** The messages of a room. Follows the end while it is in view; otherwise, counts new messages. */
export function MessageList(props: MessageListProps) {
  const { state, onJump, loadOlder } = props;
  const shown = [...state.entries.filter((entry) => !isHeld(entry)), ...state.outbox];
  const { ref, unread, scrollToEnd } = useStickToBottom(shown, state.you.id);
  const isMounted = useIsMounted();
  const live = shown.findIndex((entry) => !(entry.kind === "line" && entry.isOlder));
  const older = live < 0 ? shown.length : live;
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
        <OlderMessages list={ref} load={loadOlder} hasOlder={state.hasOlder} />
        {state.entered && shown.length === 0 && <Empty />}
        <div key={isMounted ? "local times" : "times of the server"}>
          {/* Only new messages are announced; how many older ones were loaded is said above. */}
          <div aria-live="off">
            <Entries {...props} shown={shown} from={0} to={older} />
          </div>
          <Entries {...props} shown={shown} from={older} to={shown.length} />
        </div>
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

interface EntriesProps extends MessageListProps {
  readonly shown: readonly Entry[];
  readonly from: number;
  readonly to: number;
}

function Entries({ state, shown, from, to, onResend, onDiscard }: EntriesProps) {
  return (
    <>
      {shown.slice(from, to).map((entry, index) => (
        entry.kind === "away" ? <Missed key={entry.key} away={entry} /> : (
          <MessageLine
            key={entry.key}
            line={entry}
            continues={continues(shown[from + index - 1], entry)}
            isYours={entry.user.id === state.you.id}
            onResend={onResend}
            onDiscard={onDiscard}
          />
        )
      ))}
    </>
  );
}

function Empty() {
  return (
    <p class="notice empty">
      No messages yet. Everyone in this room will see what you write.
    </p>
  );
}

function Missed({ away: { missed, recovered } }: { readonly away: Away }) {
  if (!recovered) {
    return <p class="notice gap">Some messages from while you were away are no longer kept.</p>;
  }
  return <p class="notice away">While you were away: {counted(missed, "message")}</p>;
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
