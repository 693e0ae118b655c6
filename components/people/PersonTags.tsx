/** Properties of {@linkcode PersonTags}. */
export interface PersonTagsProps {
  readonly person: {
    readonly roles: readonly string[];
    readonly isAdmin: boolean;
    readonly bannedAt: string | undefined;
  };
  readonly isYou: boolean;
}

/** Labels for a user's special properties. */
export function PersonTags({ person, isYou }: PersonTagsProps) {
  return (
    <>
      {isYou && <span class="tag">you</span>}
      {person.isAdmin && <span class="tag">admin</span>}
      {person.roles.map((role) => <span key={role} class="tag plain">{role}</span>)}
      {person.bannedAt !== undefined && <span class="tag wrong">banned</span>}
    </>
  );
}
