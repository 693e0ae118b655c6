const PROMISES = [
  ["Checked first", "Who you are is known before a connection opens, never after."],
  ["Bound to your session", "A connection lives as long as your sign-in, and not a second more."],
  ["Over means over", "Sign out once, and every open window hears of it at once."],
] as const;

/** What somebody may rely on here. */
export function Promises() {
  return (
    <ul class="promises">
      {PROMISES.map(([title, text]) => (
        <li key={title}>
          <h2>{title}</h2>
          <p>{text}</p>
        </li>
      ))}
    </ul>
  );
}
