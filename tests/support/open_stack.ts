import type { Application, Scope } from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";

/** Puts an application behind a stack that accepts every client, for tests of the application itself. */
export function openStack(application: Application<Scope>): Application<Scope> {
  return stack().use(anyOrigin()).use(allowAnonymous()).around(application);
}
