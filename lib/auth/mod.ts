/**
 * Sign-in with OAuth 2.0 and OpenID Connect, and users.
 *
 * {@linkcode SignIn} sends a browser to a provider and handles its callback; {@linkcode answerSignIn}
 * answers the requests for it.
 * {@linkcode GitHubProvider}, {@linkcode OidcProvider} and, during development, the provider of
 * `@sluice/sluice/auth/dev` identify users. {@linkcode KvUserStore} and {@linkcode MemoryUserStore}
 * store them. {@linkcode withUser} and {@linkcode requireUser} find the user of a connection.
 *
 * @module
 */
export { answerSignIn } from "./oauth/answer_sign_in.ts";
export { Audit } from "./audit/audit.ts";
export type { AuditEntry } from "./audit/audit_log.ts";
export { UserChanges } from "./users/user_changes.ts";
export { DeviceSignIn } from "./device/device_sign_in.ts";
export { SignInError } from "./errors.ts";
export { KvUserStore } from "./users/kv_user_store.ts";
export { login, logout } from "./login.ts";
export { MemoryUserStore } from "./users/memory_user_store.ts";
export { GitHubProvider } from "./providers/github.ts";
export { OidcProvider } from "./providers/oidc.ts";
export type { AuthorizationAnswer, AuthorizationRequest, Provider } from "./providers/provider.ts";
export {
  allowAnonymous,
  requireUser,
  type SignedInScope,
  user,
  type UserScope,
} from "./with_user.ts";
export { SignIn } from "./oauth/sign_in.ts";
export { Tickets } from "./tickets/tickets.ts";
export { sessionOrTicket } from "./tickets/with_tickets.ts";
export {
  applyProfile,
  type ProviderProfile,
  type PublicUser,
  toPublicUser,
  type User,
} from "./users/user.ts";
export type { UserStore } from "./users/user_store.ts";
export { auth, type AuthScope } from "./with_auth.ts";
