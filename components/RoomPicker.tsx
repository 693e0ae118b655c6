/** Properties of {@linkcode RoomPicker}. */
export interface RoomPickerProps {
  /** An invalid name that was entered. */
  readonly rejected?: string | undefined;
}

const SUGGESTED = [
  { name: "lobby", about: "General chat" },
  { name: "help", about: "Questions and answers" },
  { name: "show-and-tell", about: "Show what you've built" },
] as const;

/** Links to a few rooms, and a form for any other. */
export function RoomPicker({ rejected }: RoomPickerProps) {
  return (
    <>
      <ul class="room-list">
        {SUGGESTED.map(({ name, about }) => (
          <li key={name}>
            <a href={`/rooms/${name}`}>
              <strong>{name}</strong>
              <span>{about}</span>
            </a>
          </li>
        ))}
      </ul>
      <form class="room-form" action="/rooms" method="get">
        <label for="room">Join or create a room</label>
        <div class="field">
          <input
            id="room"
            name="room"
            required
            maxLength={64}
            pattern="[A-Za-z0-9_\-]{1,64}"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={rejected}
            aria-describedby="room-help"
            aria-invalid={rejected === undefined ? undefined : "true"}
            autofocus={rejected !== undefined}
          />
          <button type="submit" class="button">Join</button>
        </div>
        <p id="room-help" class={rejected === undefined ? "help" : "help wrong"}>
          Use 1–64 letters, numbers, hyphens or underscores.
        </p>
      </form>
    </>
  );
}
