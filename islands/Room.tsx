import { connect, type RealtimeSocket, RequestError } from "@sluice/sluice/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { Composer } from "../components/room/Composer.tsx";
import { type Connection, describeBlock } from "../components/room/words/connection_words.ts";
import { ConnectionStatus } from "../components/room/ConnectionStatus.tsx";
import { MessageList } from "../components/room/MessageList.tsx";
import { People } from "../components/room/People.tsx";
import type { Line, RoomState } from "../components/room/room_state.ts";
import { describeSendError } from "../components/room/words/send_error_words.ts";
import { useGatedRoom } from "../components/room/use_gated_room.ts";
import { useUnsent } from "../components/room/use_unsent.ts";
import { useFocusRescue } from "../components/use_focus_rescue.ts";
import type { ChatMessages } from "../consumers/chat_messages.ts";

/** Properties of {@linkcode Room}. */
export interface RoomProps {
  /** The room's name, already validated. */
  readonly room: string;
  /** The signed-in user. */
  readonly you: RoomState["you"];
}

/** Time limit for a message, including the wait for a connection, in milliseconds. */
const SEND_TIMEOUT_MS = 20_000;

const CONNECTING: Connection = { state: "connecting", wasLive: false };

/** A room: its messages, its users, and the state of the connection. */
export default function Room({ room, you }: RoomProps) {
  const page = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const { state, connection, send, discard, retry } = useRoom(room, you);
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
      />
      <People you={state.you} people={state.people} isCurrent={connection.state === "live"} />
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

function useRoom(room: string, you: RoomState["you"]) {
  const { state, dispatch, dispatchNow } = useGatedRoom(you);
  const [connection, setConnection] = useState<Connection>(CONNECTING);
  const socket = useRef<RealtimeSocket<ChatMessages>>();
  const lastKey = useRef(0);

  useUnsent({ room, userId: you.id, outbox: state.outbox }, (unsent) => {
    for (const { text, at, ...failure } of unsent) {
      const key = `own ${++lastKey.current}`;
      dispatch({ type: "submitted", key, text, at });
      dispatchNow({ type: "failed", key, ...failure });
    }
  });

  useEffect(() => {
    const opened = socket.current = connect<ChatMessages>(`/ws/chat/${room}`, { user: you.id });
    const show = () => {
      setConnection(({ wasLive }) => connectionOf(opened, wasLive));
      if (opened.state !== "live") dispatch({ type: "lost", at: now() });
    };
    opened.onState(show);
    opened.on("welcome", (data) => {
      // Another user has signed in meanwhile: the whole page belongs to the wrong user.
      if (data.you.id !== you.id) return location.reload();
      dispatch({ type: "welcome", at: now(), ...data });
    });
    opened.on("joined", ({ user }) => dispatch({ type: "joined", user }));
    opened.on("left", ({ user }) => dispatch({ type: "left", user }));
    opened.on("gap", (gap) => dispatch({ type: "gap", ...gap }));
    opened.on("said", (said) => dispatch({ type: "heard", said }));
    show();
    return () => opened.close();
  }, [room, you.id]);

  /** Sends a text, or retries a failed line. */
  async function send(text: string, line?: Line) {
    const key = line?.key ?? `own ${++lastKey.current}`;
    dispatchNow({ type: "submitted", key, text, at: now() });
    try {
      const reply = await socket.current!.request("say", { text }, { timeoutMs: SEND_TIMEOUT_MS });
      dispatch({ type: "acknowledged", key, id: reply.id });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      dispatch({ type: "failed", key, ...describeSendError(error) });
    }
  }

  return {
    state,
    connection,
    send: (text: string, line?: Line) => void send(text, line),
    discard: ({ key }: Line) => dispatchNow({ type: "discarded", key }),
    retry: () => socket.current?.retry(),
  };
}

function connectionOf(socket: RealtimeSocket<ChatMessages>, wasLive: boolean): Connection {
  const { state, detail: { code, retryInMs } } = socket;
  const retryAt = retryInMs === undefined ? undefined : Date.now() + retryInMs;
  return { state, wasLive: wasLive || state === "live", code, retryAt };
}

function now(): string {
  return new Date().toISOString();
}
