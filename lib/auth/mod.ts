/**
 * Sign-in and people.
 *
 * {@linkcode withUser} and {@linkcode requireUser} find who a connection belongs to;
 * {@linkcode KvUserStore} and {@linkcode MemoryUserStore} keep people.
 *
 * @module
 */
export { KvUserStore } from "./kv_user_store.ts";
export { MemoryUserStore } from "./memory_user_store.ts";
export { removeUser } from "./remove_user.ts";
export { requireUser } from "./require_user.ts";
export { type Profile, type PublicUser, toPublicUser, type User } from "./user.ts";
export type { UserStore } from "./user_store.ts";
export { type SignedInScope, type UserScope, withUser } from "./with_user.ts";
