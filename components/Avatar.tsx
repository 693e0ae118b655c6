/** Properties of {@linkcode Avatar}. */
export interface AvatarProps {
  readonly user: { readonly id: string; readonly name: string; readonly avatarUrl: string };
}

/**
 * A user's picture, or the initials if there is no picture or it has not loaded. The name is shown
 * beside it.
 */
export function Avatar({ user }: AvatarProps) {
  const { id, name, avatarUrl } = user;
  return (
    <span class={`avatar hue-${hueOf(id)}`} aria-hidden="true">
      {initialsOf(name)}
      {avatarUrl.startsWith("https://") && (
        <img src={avatarUrl} alt="" width={40} height={40} referrerpolicy="no-referrer" />
      )}
    </span>
  );
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/** One of eight colours, always the same for the same user. */
function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return sum % 8;
}
