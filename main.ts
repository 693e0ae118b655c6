/**
 * The app: the middleware of every request, then the routes.
 *
 * @module
 */
import { App, staticFiles } from "fresh";
import { withBody } from "./app/http/body.ts";
import type { State } from "./app/http/define.ts";
import { withServices } from "./app/http/middleware.ts";
import { securityHeaders } from "./app/http/security_headers.ts";
import { withSockets } from "./app/http/with_sockets.ts";
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
