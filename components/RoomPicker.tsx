/** Properties of {@linkcode RoomPicker}. */
export interface RoomPickerProps {
  /** A name that was typed and is no name of a room. */
  readonly rejected?: string | undefined;
}

const SUGGESTED = [
  { name: "lobby", about: "Everybody, about anything" },
  { name: "help", about: "Ask, and answer" },
  { name: "show-and-tell", about: "What you have made" },
] as const;

/** A few rooms to enter, and a form for any other. */
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
        <label for="room">Or go to any other room</label>
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
          />
          <button type="submit" class="button">Enter</button>
        </div>
        <p id="room-help" class={rejected === undefined ? "help" : "help wrong"}>
          {rejected !== undefined && "That is no name of a room. "}
          1 to 64 letters, digits, - and _
        </p>
      </form>
    </>
  );
}
