import { type RealtimeSocket, RequestError } from "@sluice/sluice/client";
import { useSocket } from "@sluice/sluice/client/preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Composer } from "../components/room/Composer.tsx";
import { type Connection, describeBlock } from "../components/room/words/connection_words.ts";
import { ConnectionStatus } from "../components/room/ConnectionStatus.tsx";
import { MessageList } from "../components/room/MessageList.tsx";
import { People } from "../components/room/People.tsx";
import {
  type Heard,
  type Line,
  oldestOffset,
  type RoomState,
} from "../components/room/room_state.ts";
import { describeSendError } from "../components/room/words/send_error_words.ts";
import { useGatedRoom } from "../components/room/use_gated_room.ts";
import { useUnsent } from "../components/room/use_unsent.ts";
import { useFocusRescue } from "../components/use_focus_rescue.ts";
import type { RecentMessages } from "../app/pages/recent_messages.ts";
import type { ChatMessages } from "../consumers/chat_messages.ts";

/** Properties of {@linkcode Room}. */
export interface RoomProps {
  /** The room's name, already validated. */
  readonly room: string;
  /** The signed-in user. */
  readonly you: RoomState["you"];
  /** The newest messages. */
  readonly history: RecentMessages;
}

/** How long a message is sent again until it is answered, in milliseconds. */
const SEND_TIMEOUT_MS = 20_000;

/** How long the server recognises a repetition, less some time for it, in milliseconds. */
const REPEAT_MS = 540_000;

/** How many messages are loaded at once by scrolling up. */
const OLDER = 50;

/** A room: its messages, its users, and the state of the connection. */
export default function Room({ room, you, history }: RoomProps) {
  const page = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const { state, socket, connection, send, discard, retry, loadOlder } = useRoom({
    room,
    you,
    history,
  });
  useFocusRescue(page, input);
  /** Moves the focus to the input, because the clicked button is about to be removed. */
  const thenWrite = (action: () => void) => {
    action();
    input.current?.focus();
  };
  return (
    <div class="room" ref={page}>
      <ConnectionStatus connection={connection} room={room} onRetry={() => thenWrite(retry)} />
      <MessageList
        state={state}
        onResend={(line) => thenWrite(() => send(line.text, line))}
        onDiscard={(line) => thenWrite(() => discard(line))}
        onJump={thenWrite}
        loadOlder={loadOlder}
      />
      <People you={state.you} socket={socket} isCurrent={connection.state === "live"} />
      <Composer
        room={room}
        userId={you.id}
        block={describeBlock(connection)}
        inputRef={input}
        onSend={send}
      />
    </div>
  );
}

function useRoom({ room, you, history }: RoomProps) {
  const { state, dispatch, dispatchNow } = useGatedRoom(you, history);
  const lastKey = useRef(0);
  const repetitions = useRef<(() => void)[]>([]);
  const wasRendered = useRef(history.position !== undefined);

  useUnsent({ room, userId: you.id, outbox: state.outbox }, (unsent) => {
    for (const { text, at, command = crypto.randomUUID(), ...failure } of unsent) {
      const key = `own ${++lastKey.current}`;
      dispatch({ type: "submitted", key, text, at, command });
      if (canRepeat(at) && failure.uncertain) {
        repetitions.current.push(() => void transmit(key, text, command));
      } else dispatchNow({ type: "failed", key, ...failure });
    }
  });

  const used = useSocket<ChatMessages>(`/ws/chat/${room}`, {
    user: you.id,
    streams: { room: { from: history.position, newest: OLDER } },
    on: {
      welcome(data) {
        // Another user has signed in meanwhile: the whole page belongs to the wrong user.
        if (data.you.id !== you.id) return location.reload();
        dispatch({ type: "welcome", you: data.you });
      },
      said: (said, { offset }) => dispatch({ type: "heard", said: { ...said, offset } }),
    },
    onRecovered({ missed, recovered }) {
      // The first one only continues what the server rendered.
      if (!wasRendered.current) dispatch({ type: "recovered", missed, recovered });
      wasRendered.current = false;
    },
  });
  const socket = useRef(used.socket);
  socket.current = used.socket;
  useEffect(() => {
    if (used.socket !== undefined) repetitions.current.splice(0).forEach((repeat) => repeat());
  }, [used.socket]);

  /** Sends a text, or retries a failed line. */
  async function send(text: string, line?: Line) {
    const key = line?.key ?? `own ${++lastKey.current}`;
    const command = line?.command ?? crypto.randomUUID();
    dispatchNow({ type: "submitted", key, text, at: line?.at ?? now(), command });
    await transmit(key, text, command);
  }

  /** Sends a message until it is answered. */
  async function transmit(key: string, text: string, command: string) {
    try {
      const options = { timeoutMs: SEND_TIMEOUT_MS, key: command };
      const reply = await socket.current!.request("say", { text }, options);
      dispatch({ type: "acknowledged", key, id: reply.id });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      dispatch({ type: "failed", key, ...describeSendError(error) });
    }
  }

  /** Loads older messages. */
  async function loadOlder(): Promise<number> {
    const before = oldestOffset(state);
    const { messages, more } = await socket.current!.loadBefore("room", { before, limit: OLDER });
    const older = messages.map(({ data, offset }) => ({ ...data as Heard, offset }));
    dispatchNow({ type: "older", messages: older, more });
    return older.length;
  }

  return {
    state,
    socket: used.socket,
    connection: useConnection(used),
    send: (text: string, line?: Line) => void send(text, line),
    loadOlder,
    discard: ({ key }: Line) => dispatchNow({ type: "discarded", key }),
    retry: () => socket.current?.retry(),
  };
}

/** Returns the state of the connection in the words of the page. */
function useConnection(
  { state, detail }: Pick<RealtimeSocket<ChatMessages>, "state" | "detail">,
): Connection {
  const wasLive = useRef(false);
  wasLive.current ||= state === "live";
  return useMemo(() => {
    const { code, retryInMs } = detail;
    const retryAt = retryInMs === undefined ? undefined : Date.now() + retryInMs;
    const isOffline = navigator.onLine === false;
    return { state, wasLive: wasLive.current, code, retryAt, isOffline };
  }, [state, detail]);
}

/** Whether the server would recognise the repetition of a message. */
function canRepeat(at: string): boolean {
  const ageMs = Date.now() - Date.parse(at);
  return ageMs >= 0 && ageMs < REPEAT_MS;
}

function now(): string {
  return new Date().toISOString();
}
