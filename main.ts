/**
 * The app: the middleware of every request, then the routes.
 *
 * @module
 */
import { App, staticFiles } from "fresh";
import { withBody } from "./app/body.ts";
import type { State } from "./app/define.ts";
import { withServices } from "./app/middleware.ts";
import { securityHeaders } from "./app/security_headers.ts";
import { withSockets } from "./app/with_sockets.ts";
import { type Services, services } from "./app/services.ts";

/** Creates the app with the services of this process, or of a test. */
export function createApp(getServices: () => Services): App<State> {
  return new App<State>()
    .use(withServices(getServices))
    .use(securityHeaders)
    .use(withBody)
    .use(withSockets)
    .use(staticFiles())
    .fsRoutes();
}

export const app: App<State> = createApp(services);
