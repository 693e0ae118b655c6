const PROMISES = [
  ["Checked first", "We know who you are before the socket opens."],
  ["Bound to your session", "A socket lives exactly as long as the session behind it."],
  ["Sign out once, everywhere", "Every other tab is disconnected within a second."],
] as const;

/** What users can rely on. */
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
