import { toPublicUser } from "@sluice/sluice/auth";
import { isAdmin } from "../app/admin/admins.ts";
import { define } from "../app/http/define.ts";
import { SiteHeader } from "../components/site/SiteHeader.tsx";

/** The common parts of all pages: the header, and a link that skips it. */
export default define.layout(async function Layout({ Component, state }) {
  // If the database is down, the error page is shown without a user.
  const person = await state.person().catch(() => undefined);
  return (
    <div class="site">
      <a class="skip-link" href="#content">Skip to content</a>
      <SiteHeader
        user={person && toPublicUser(person.user)}
        hasPeople={person !== undefined && isAdmin(state.services.settings, person.user)}
      />
      <main id="content" tabIndex={-1}>
        <Component />
      </main>
    </div>
  );
});
