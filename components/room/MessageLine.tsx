import { Component } from "preact";
import { Avatar } from "../Avatar.tsx";
import type { Line } from "./room_state.ts";
import { Time, timeWords } from "./Time.tsx";

/** Properties of {@linkcode MessageLine}. */
export interface MessageLineProps {
  readonly line: Line;
  /** Whether it continues the previous line: same user, shortly after. */
  readonly continues: boolean;
  readonly isYours: boolean;
  readonly onResend: (line: Line) => void;
  readonly onDiscard: (line: Line) => void;
}

/** One message. Renders only when it changes, because a room holds many. */
export class MessageLine extends Component<MessageLineProps> {
  override shouldComponentUpdate(next: MessageLineProps): boolean {
    const { line, continues, isYours } = this.props;
    return next.line !== line || next.continues !== continues || next.isYours !== isYours;
  }

  override render({ line, continues, isYours }: MessageLineProps) {
    const { user, text, at, status } = line;
    return (
      <article
        class={`message ${status}${continues ? " continues" : ""}`}
        data-status={status}
        // Their number is announced; reading all of them aloud could take minutes.
        aria-live={line.isMissed ? "off" : undefined}
        aria-label={`${isYours ? "You" : user.name}, ${timeWords(at)}`}
      >
        {!continues && <Avatar user={user} />}
        <header class={continues ? "visually-hidden" : undefined} aria-hidden={continues}>
          <bdi class="user-name">{user.name}</bdi>
          {isYours && <span class="tag">you</span>}
          <Time at={at} />
        </header>
        <p class="text" dir="auto">{text}</p>
        {status === "pending" && <p class="message-note" aria-hidden="true">Sending…</p>}
        {status === "failed" && this.#failure(line)}
      </article>
    );
  }

  #failure(line: Line) {
    const { onResend, onDiscard } = this.props;
    return (
      <p class="message-note">
        {line.reason}.
        <button type="button" class="link" onClick={() => onResend(line)}>Send again</button>
        <button type="button" class="link" onClick={() => onDiscard(line)}>Discard</button>
      </p>
    );
  }
}
