import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { RoomStorage } from "./room_storage.ts";
import { countCharacters, MAX_TEXT_LENGTH } from "./words/text_length.ts";

/** Properties of {@linkcode Composer}. */
export interface ComposerProps {
  readonly room: string;
  /** The user and room of the draft. */
  readonly userId: string;
  /** Why no message can be sent now; writing is always possible. */
  readonly block: string | undefined;
  readonly inputRef: RefObject<HTMLTextAreaElement>;
  readonly onSend: (text: string) => void;
}

/** Remaining characters at which the counter appears. */
const COUNT_FROM = 200;

/** The input for a message: Enter sends, Shift+Enter starts a new line. Pasted text is never cut. */
export function Composer({ room, userId, block, inputRef, onSend }: ComposerProps) {
  const { text, write } = useDraft({ room, userId, inputRef });
  const [alert, setAlert] = useState("");
  const trimmed = text.trim();
  const left = MAX_TEXT_LENGTH - countCharacters(trimmed);
  const counter = left < 0 ? `${(-left).toLocaleString("en")} too many` : `${left} left`;
  const reason = left < 0 ? counter : block;

  function send(event: Event) {
    event.preventDefault();
    if (reason !== undefined) return setAlert(`Not sent: ${reason}`);
    if (trimmed === "") return;
    onSend(trimmed);
    write("");
    inputRef.current?.focus();
  }

  function onInput(event: Event & { readonly currentTarget: HTMLTextAreaElement }) {
    write(event.currentTarget.value);
    setAlert("");
  }

  function onKeyDown(event: KeyboardEvent) {
    // 229: Safari ends a composition before the Enter that confirmed it.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !isComposing) send(event);
  }

  return (
    <form class="composer" onSubmit={send}>
      <label class="visually-hidden" for="message">Message to {room}</label>
      <textarea
        id="message"
        ref={inputRef}
        rows={1}
        placeholder={`Message to ${room}`}
        aria-describedby="message-help"
        aria-invalid={left < 0 ? "true" : undefined}
        enterkeyhint="send"
        autocomplete="off"
        dir="auto"
        onInput={onInput}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        class="button"
        aria-disabled={reason !== undefined || trimmed === ""}
        aria-describedby={reason === undefined ? undefined : "message-help"}
      >
        Send
      </button>
      <p id="message-help" class="composer-help">
        {block === undefined
          ? <span class="composer-keys">Enter to send, Shift+Enter for a new line</span>
          : <span>{block}</span>}
        {left <= COUNT_FROM && <span class={left < 0 ? "counter wrong" : "counter"}>{counter}
        </span>}
      </p>
      <p class="visually-hidden" role="status">
        {alert || (left < 0 ? "The message is too long" : "")}
      </p>
    </form>
  );
}

/**
 * Keeps the text in the field itself and in the tab's storage. Text that was typed before this script ran
 * is kept, too.
 */
function useDraft({ room, userId, inputRef }: Pick<ComposerProps, "room" | "userId" | "inputRef">) {
  const storage = useMemo(() => new RoomStorage({ room, userId }), [room, userId]);
  const [text, setText] = useState("");

  function write(next: string) {
    const input = inputRef.current;
    if (input && input.value !== next) input.value = next;
    storage.draft = next;
    setText(next);
  }

  useLayoutEffect(() => {
    const typed = inputRef.current?.value ?? "";
    const { draft } = storage;
    write(draft === typed ? typed : [draft, typed].filter((part) => part !== "").join("\n"));
  }, [storage]);

  return { text, write };
}
