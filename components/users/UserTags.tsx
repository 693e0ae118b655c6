/** Properties of {@linkcode UserTags}. */
export interface UserTagsProps {
  readonly user: {
    readonly roles: readonly string[];
    readonly isAdmin: boolean;
    readonly bannedAt: string | undefined;
  };
  readonly isYou: boolean;
}

/** Labels for a user's special properties. */
export function UserTags({ user, isYou }: UserTagsProps) {
  return (
    <>
      {isYou && <span class="tag">you</span>}
      {user.isAdmin && <span class="tag">admin</span>}
      {user.roles.map((role) => <span key={role} class="tag plain">{role}</span>)}
      {user.bannedAt !== undefined && <span class="tag wrong">banned</span>}
    </>
  );
}
