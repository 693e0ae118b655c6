/**
 * The app: its services, the socket handler on top of them, the middleware of every request, and then
 * the routes.
 *
 * @module
 */
import { App, staticFiles } from "fresh";
import { withBody } from "./app/http/body.ts";
import type { State } from "./app/http/define.ts";
import { withSite } from "./app/http/middleware.ts";
import { securityHeaders } from "./app/http/security_headers.ts";
import { withSockets } from "./app/http/with_sockets.ts";
import { type Services, services } from "./app/services.ts";
import { createSite, type Site } from "./app/site.ts";
import { createRealtime } from "./realtime.ts";

/**
 * Composes the site of a process, or of a test.
 *
 * @throws {TypeError} The stack of `realtime.ts` lets in sockets without an origin check or without a
 * user.
 */
export function composeSite(services: Services): Site {
  return createSite(services, createRealtime(services));
}

let shared: Site | undefined;

/** Returns the site of this process, composed at the first call. Throws as {@linkcode services}. */
export function site(): Site {
  return shared ??= composeSite(services());
}

/** Creates the app of a site. */
export function createApp(getSite: () => Site): App<State> {
  return new App<State>()
    .use(withSite(getSite))
    .use(securityHeaders)
    .use(withBody)
    .use(withSockets)
    .use(staticFiles())
    .fsRoutes();
}

export const app: App<State> = createApp(site);
