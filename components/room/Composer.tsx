import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { MAX_TEXT_LENGTH } from "./max_text_length.ts";

/** Properties of {@linkcode Composer}. */
export interface ComposerProps {
  readonly room: string;
  /** Whether a message would go out now; writing is possible at any time. */
  readonly canSend: boolean;
  readonly inputRef: RefObject<HTMLTextAreaElement>;
  readonly onSend: (text: string) => void;
}

/** How many characters are left when the counter shows up. */
const COUNT_FROM = 200;

/** Where one writes: Enter sends, Shift and Enter begin a new line. */
export function Composer({ room, canSend, inputRef, onSend }: ComposerProps) {
  const [text, setText] = useState("");
  const left = MAX_TEXT_LENGTH - text.length;

  function send(event: Event) {
    event.preventDefault();
    const input = inputRef.current;
    const trimmed = input?.value.trim() ?? "";
    if (!canSend || trimmed === "") return;
    onSend(trimmed);
    setText("");
    input?.focus();
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
        maxLength={MAX_TEXT_LENGTH}
        placeholder={`Message to ${room}`}
        aria-describedby="message-help"
        enterkeyhint="send"
        autocomplete="off"
        dir="auto"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" class="button" aria-disabled={!canSend || text.trim() === ""}>
        Send
      </button>
      <p id="message-help" class="composer-help">
        <span>Enter sends, Shift + Enter begins a new line</span>
        {left <= COUNT_FROM && <span class="counter">{left} left</span>}
      </p>
    </form>
  );
}
