/**
 * Sign-in for development: an OpenID Connect provider inside the process, which signs you in as any
 * user that you name.
 *
 * It is an export of its own because it needs the package `oidc-provider`: production code that does
 * not import it has no such dependency.
 *
 * @module
 */
export { DevIdentity } from "./dev_identity.ts";
export { DevProvider } from "./dev_provider.ts";
