import type { PublicUser } from "@sluice/sluice/auth";
import { Avatar } from "../Avatar.tsx";
import { Logo } from "./Logo.tsx";

/** Properties of {@linkcode SiteHeader}. */
export interface SiteHeaderProps {
  /** The signed-in user. */
  readonly user: PublicUser | undefined;
  /** Whether that user may manage other users. */
  readonly hasPeople: boolean;
}

/** The header of every page: navigation, the signed-in user, and sign-out. */
export function SiteHeader({ user, hasPeople }: SiteHeaderProps) {
  return (
    <header class="site-header">
      <a class="brand" href="/" aria-current="false">
        <Logo />
        <span>Sluice</span>
      </a>
      {user ? <SignedIn user={user} hasPeople={hasPeople} /> : (
        <nav aria-label="Main">
          <a class="button small" href="/signin">Sign in</a>
        </nav>
      )}
    </header>
  );
}

function SignedIn(
  { user, hasPeople }: { readonly user: PublicUser; readonly hasPeople: boolean },
) {
  return (
    <>
      <nav aria-label="Main">
        <a href="/rooms">Rooms</a>
        <a href="/sessions">Sessions</a>
        {hasPeople && <a href="/people">People</a>}
      </nav>
      <div class="account">
        <Avatar user={user} />
        <bdi class="user-name">{user.name}</bdi>
        <form method="post" action="/auth/signout">
          <button type="submit" class="button small quiet">Sign out</button>
        </form>
      </div>
    </>
  );
}
