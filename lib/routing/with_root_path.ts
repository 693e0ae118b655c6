import { Refusal } from "../protocol/mod.ts";
import { type Application, guarded, type Scope } from "../core/scope.ts";

/**
 * Removes a prefix from the path, for a site that is mounted below it (`root_path` in ASGI). Other
 * paths are refused with 404 `NO_CONSUMER`. `scope.path` does not change.
 *
 * @throws {TypeError} The prefix does not start with `/`, or ends with it.
 *
 * @example
 * ```ts
 * import { router, type Scope } from "@sluice/sluice";
 * import { withRootPath } from "@sluice/sluice/routing";
 *
 * const application = withRootPath("/realtime", router<Scope>([]));
 * ```
 */
export function withRootPath<S extends Scope>(
  rootPath: string,
  next: Application<S>,
): Application<S> {
  if (!/^\/.*[^/]$/.test(rootPath)) {
    throw new TypeError(
      `Cannot use the root path "${rootPath}": expected /path without a trailing /`,
    );
  }
  const application: Application<S> = (scope) => {
    const path = scope.pathRemaining;
    const rest = path.slice(rootPath.length);
    if (!path.startsWith(rootPath) || !/^(?:\/|$)/.test(rest)) return Refusal.of("NO_CONSUMER");
    return next(Object.assign(scope, { pathRemaining: rest || "/" }));
  };
  return guarded(application, next);
}
