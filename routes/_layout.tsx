import { toPublicUser } from "@sluice/sluice/auth";
import { isAdmin } from "../app/admins.ts";
import { define } from "../app/define.ts";
import { SiteHeader } from "../components/SiteHeader.tsx";

/** What all pages have in common: the header, and a way past it. */
export default define.layout(async function Layout({ Component, state }) {
  // A page that says that the database is down cannot say who reads it.
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
