import { toPublicUser } from "@sluice/sluice/auth";
import { isAdmin } from "../app/admin/admins.ts";
import { define } from "../app/http/define.ts";
import { SiteHeader } from "../components/site/SiteHeader.tsx";

/** The common parts of all pages: the header, and a link that skips it. */
export default define.layout(async function Layout({ Component, state }) {
  // If the database is down, the error page is shown without a user.
  const identity = await state.identity().catch(() => undefined);
  return (
    <div class="site">
      <a class="skip-link" href="#content">Skip to content</a>
      <SiteHeader
        user={identity && toPublicUser(identity.user)}
        hasPeople={identity !== undefined && isAdmin(state.services.settings, identity.user)}
      />
      <main id="content" tabIndex={-1}>
        <Component />
      </main>
    </div>
  );
});
